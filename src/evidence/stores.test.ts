import { expect, test } from '@jest/globals';
import type { ImageStore } from '../session/session.ts';
import { compareSession } from '../verdict/compare.ts';
import { twoSided } from '../session/session.test-support.ts';
import { metricRule } from '../session/metric.test-support.ts';

/** Docker has two stores for images, and sizes are compared within one alone. */

const SIZE = metricRule('image_size_bytes', { limit: 0.05, kind: 'exact' });
const PACKED = { ...SIZE, name: 'image_compressed_bytes' };

const judged = (baseline: ImageStore | undefined, head: ImageStore | undefined) => {
  const both = twoSided({ wall_time_s: [1, 1] }, [SIZE, PACKED]);
  const images = both.images.map((image) => {
    const store = image.side === 'head' ? head : baseline;
    return {
      ...image,
      engine: 'container' as const,
      sizeBytes: 1000,
      compressedBytes: image.side === 'head' ? 550 : 500,
      ...(store === undefined ? {} : { store }),
    };
  });
  const { rows } = compareSession({ ...both, images });
  return Object.fromEntries(rows.map(({ metric, verdict, warnings }) => [metric, [verdict, ...warnings]]));
};

test.each([
  ['classic', 'classic'],
  ['containerd', 'containerd'],
  // Files of earlier versions do not say.
  [undefined, undefined],
  [undefined, 'containerd'],
] as const)('sizes of a %s and a %s store are compared', (baseline, head) => {
  expect(judged(baseline, head)).toMatchObject({
    image_size_bytes: ['unchanged'],
    image_compressed_bytes: ['regressed'],
  });
});

test.each([
  ['classic', 'containerd'],
  ['containerd', 'classic'],
] as const)('those of a %s and a %s store are no pair', (baseline, head) => {
  const why = (metric: string) => [
    'no_data',
    `${metric} cannot be compared: the baseline's image was in Docker's ${baseline} store and the head's in its ${head} store, and these stores count sizes differently`,
  ];
  expect(judged(baseline, head)).toMatchObject({
    image_size_bytes: why('image_size_bytes'),
    image_compressed_bytes: why('image_compressed_bytes'),
  });
});
