import { expect, test } from '@jest/globals';
import { layersIn } from './registry.ts';

const config = (...layers: readonly string[]) => ({ architecture: 'x', rootfs: { diff_ids: layers } });

test.each([
  [config('sha256:a', 'sha256:b'), ['sha256:a', 'sha256:b']],
  [{ 'linux/arm64/v8': config('sha256:arm'), 'linux/amd64': config('sha256:a') }, ['sha256:a']],
  [{ 'linux/arm64': config('sha256:arm'), 'windows/amd64': config('sha256:w') }, undefined],
  [{}, undefined],
  [null, undefined],
])("the layers in buildx's answer %j", (answer, layers) => {
  expect(layersIn(JSON.stringify(answer), 'x64')).toEqual(layers);
});

test('an answer that is not JSON has no layers', () => {
  expect(layersIn('ERROR: no', 'x64')).toBeUndefined();
});
