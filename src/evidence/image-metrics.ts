import { median } from 'simple-statistics';
import { VALGRIND_INSTRUCTIONS } from '../session/metric.ts';
import type { Side } from '../session/run.ts';
import type { ImageStore, Session } from '../session/session.ts';

/** The figures of images, which do not depend on runs. */

/** One figure of one side's image: the same at every look. */
export interface ImageMetric {
  readonly variant: string;
  readonly side: Side;
  readonly metric: string;
  readonly value: number;
  /** The store that the image was in, where the figure depends on it. */
  readonly store?: ImageStore | undefined;
  /** The single counts that the value is the median of, where it is one of several. */
  readonly counts?: readonly number[];
}

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
                store: SIZES.has(metric) ? store : undefined,
              },
            ],
      ),
      ...ofCount,
    ];
  });
}
