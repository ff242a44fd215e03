import { readFile } from 'node:fs/promises';
import { BASE_NAME } from './bake.ts';
import { finalBase } from './dockerfile.ts';
import { inspectImage, type ImageFacts } from './inspect.ts';
import { layersOf } from './registry.ts';

/**
 * Why an image is not the variant's: its first layers are not those of the interpreter, so every variant would be the
 * same image under another name. The layers of an interpreter that the engine does not have come from its registry. Those
 * of one that is built along in another builder are unknown; there the running Python reports what it is.
 */
export async function withoutInterpreter(
  reference: string | undefined,
  { layers }: ImageFacts,
  dockerfile: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (reference === undefined || (await standsOn(reference, { layers }, signal))) return undefined;
  const base = finalBase(await readFile(dockerfile, 'utf8').catch(() => ''));
  const where = base === undefined ? '' : ` (line ${base.line}: \`${base.text}\`)`;
  return `the built image does not stand on this variant's interpreter, so it would be measured under a wrong name. The last stage of the Dockerfile${where} takes its base from elsewhere: write \`FROM ${BASE_NAME}\` there, without a tag or a variable.`;
}

/** Whether an image's first layers are those of another; layers that are not known are taken to be. */
export async function standsOn(
  reference: string,
  { layers }: Pick<ImageFacts, 'layers'>,
  signal: AbortSignal,
): Promise<boolean> {
  const expected = (await inspectImage(reference))?.layers ?? (await layersOf(reference, signal));
  return expected === undefined || expected.every((layer, index) => layer === layers[index]);
}
