import { median } from 'simple-statistics';
import { VALGRIND_INSTRUCTIONS, type MetricRule } from '../session/metric.ts';
import type { Verdict } from '../session/rules.ts';
import type { Session } from '../session/session.ts';
import type { ImageMetric } from './observations.ts';
import { sign } from './evidence.ts';

const SIZES: ReadonlySet<string> = new Set(['image_size_bytes', 'image_compressed_bytes']);

/**
 * Why sizes of two sides cannot be compared. A layer's compressed size is a registry's in one store, and made anew from its
 * content in the other; unpacked ones differ by what links take, some millionths.
 */
export function storeConflict(
  baseline: ImageMetric | undefined,
  head: ImageMetric | undefined,
): string | undefined {
  const [from, to] = [baseline?.store, head?.store];
  return from === undefined || to === undefined || from === to
    ? undefined
    : `the baseline's image was in Docker's ${from} store and the head's in its ${to} store, and these do not count the same`;
}

/** Metrics of the images of a session: what they are, what making them cost, and what valgrind counted in them. */
export function imageMetricsOf({ images }: Session): readonly ImageMetric[] {
  return images.flatMap((image): ImageMetric[] => {
    const { variant, side, engine, store, sizeBytes, compressedBytes, coldBuild, layers, counted } = image;
    const ofCount: ImageMetric[] =
      counted === undefined
        ? []
        : [
            {
              variant,
              side,
              metric: VALGRIND_INSTRUCTIONS,
              value: median(counted.counts),
              counts: counted.counts,
            },
          ];
    if (engine === 'host') return ofCount;
    const figures = {
      image_size_bytes: sizeBytes,
      image_compressed_bytes: compressedBytes,
      build_time_s: coldBuild?.seconds,
      build_cpu_time_s: coldBuild?.cpuSeconds,
      image_layers: layers.length === 0 ? undefined : layers.length,
    };
    return [
      ...Object.entries(figures).flatMap(([metric, value]) =>
        value === undefined
          ? []
          : [
              {
                variant,
                side,
                metric,
                value,
                ...(store !== undefined && SIZES.has(metric) ? { store } : {}),
              },
            ],
      ),
      ...ofCount,
    ];
  });
}

/**
 * Counts of two sides, which vary a little. A change that would count is none where the sides' counts overlap, or lie no
 * further apart than counts of one side: the workload then differs from itself by as much. Of a workload that does, two
 * counts of each side are apart by chance in one of three cases, and by such a gap in one of eleven.
 */
export function countedVerdict(
  baseline: readonly number[],
  head: readonly number[],
  rule: MetricRule,
): Verdict {
  const verdict = exactVerdict(median([...baseline]), median([...head]), rule);
  const gap = Math.max(Math.min(...head) - Math.max(...baseline), Math.min(...baseline) - Math.max(...head));
  const range = Math.max(...[baseline, head].map((counts) => Math.max(...counts) - Math.min(...counts)));
  return verdict === 'unchanged' || gap > range ? verdict : 'inconclusive';
}

/** How far counts of one side lie apart, as a fraction of the least; 0 of one count. */
export const spreadOf = (counts: readonly number[]): number => Math.max(...counts) / Math.min(...counts) - 1;

/** Two figures that do not vary are compared as they are: any change is a change, and the limit says if it counts. */
export function exactVerdict(baseline: number, head: number, rule: MetricRule): Verdict {
  if (baseline === head) return 'unchanged';
  if (baseline <= 0 || head <= 0) return sign(rule) * (head - baseline) > 0 ? 'regressed' : 'improved';
  const worse = sign(rule) * Math.log(head / baseline);
  const counts = Math.log1p(rule.limit);
  if (worse >= counts) return 'regressed';
  return -worse >= counts ? 'improved' : 'unchanged';
}
