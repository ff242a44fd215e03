import type { MetricRule } from '../session/metric.ts';
import type { Verdict } from '../session/rules.ts';
import type { Session } from '../session/session.ts';
import type { ImageMetric } from './observations.ts';
import { sign } from './evidence.ts';

/** Metrics of the images of a session: what they are and what making them cost, whatever is run in them. */
export function imageMetricsOf({ images }: Session): readonly ImageMetric[] {
  return images.flatMap(({ variant, side, engine, sizeBytes, compressedBytes, coldBuild, layers }) => {
    if (engine === 'host') return [];
    const figures = {
      image_size_bytes: sizeBytes,
      image_compressed_bytes: compressedBytes,
      build_time_s: coldBuild?.seconds,
      build_cpu_time_s: coldBuild?.cpuSeconds,
      image_layers: layers.length === 0 ? undefined : layers.length,
    };
    return Object.entries(figures).flatMap(([metric, value]) =>
      value === undefined ? [] : [{ variant, side, metric, value }],
    );
  });
}

/** Two figures that do not vary are compared as they are: any change is a change, and the limit says if it counts. */
export function exactVerdict(baseline: number, head: number, rule: MetricRule): Verdict {
  if (baseline === head) return 'unchanged';
  if (baseline <= 0 || head <= 0) return sign(rule) * (head - baseline) > 0 ? 'regressed' : 'improved';
  const worse = sign(rule) * Math.log(head / baseline);
  const counts = Math.log1p(rule.limit);
  if (worse >= counts) return 'regressed';
  return -worse >= counts ? 'improved' : 'unchanged';
}
