import { median } from 'simple-statistics';
import { VALGRIND_INSTRUCTIONS } from '../session/metric.ts';
import type { Side } from '../session/run.ts';
import type { ImageStore, Session } from '../session/session.ts';

/** Metrics of images, which do not depend on runs. */

/** One value of one side's image. */
export interface ImageMetric {
  readonly variant: string;
  readonly side: Side;
  readonly metric: string;
  readonly value: number;
  /** The engine's store of the image, if the value depends on it. */
  readonly store?: ImageStore | undefined;
  /** The single counts, if the value is the median of several. */
  readonly counts?: readonly number[];
}

const SIZES: ReadonlySet<string> = new Set(['image_size_bytes', 'image_compressed_bytes']);

/**
 * Why sizes of two sides cannot be compared. One store keeps a layer's compressed size from the registry, the other
 * compresses it again; unpacked sizes differ by some millionths because of links.
 */
export function storeConflict(
  baseline: ImageMetric | undefined,
  head: ImageMetric | undefined,
): string | undefined {
  const [from, to] = [baseline?.store, head?.store];
  return from === undefined || to === undefined || from === to
    ? undefined
    : `the baseline's image was in Docker's ${from} store and the head's in its ${to} store, and these stores count sizes differently`;
}

/** Metrics of a session's images: sizes, build costs and valgrind's counts. */
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
