import type { MetricRule } from '../session/metric.ts';
import type { Verdict } from '../session/rules.ts';
import type { Session } from '../session/session.ts';
import type { ImageMetric } from './observations.ts';
import { sign } from './evidence.ts';

/** Metrics that do not vary: what the images of a session are, whatever is run in them. */
export function imageMetricsOf({ images }: Session): readonly ImageMetric[] {
  return images.flatMap(({ variant, side, engine, sizeBytes, layers }) =>
    engine === 'host'
      ? []
      : [
          ...(sizeBytes === undefined
            ? []
            : [{ variant, side, metric: 'image_size_bytes', value: sizeBytes }]),
          ...(layers.length === 0 ? [] : [{ variant, side, metric: 'image_layers', value: layers.length }]),
        ],
  );
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
