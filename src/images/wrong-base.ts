import { readFile } from 'node:fs/promises';
import { BASE_NAME } from './bake.ts';
import { tryDocker } from './docker.ts';
import { finalBase } from '../dockerfile/dockerfile.ts';
import { inspectImage, type ImageFacts } from './inspect.ts';
import { layersOf } from './registry.ts';

/**
 * Why an image is not the variant's: its first layers are not the interpreter's, so all variants would be the same
 * image under different names. If the engine lacks the interpreter, its registry reports the layers. The layers of an
 * interpreter in another builder are unknown; then the running Python's facts are checked.
 */
export async function withoutInterpreter(
  reference: string | undefined,
  image: ImageFacts,
  dockerfile: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (reference === undefined || (await isBasedOn(reference, image, signal))) return undefined;
  const base = finalBase(await readFile(dockerfile, 'utf8').catch(() => ''));
  const where = base === undefined ? '' : ` (line ${base.line}: \`${base.text}\`)`;
  return `the built image is not based on this variant's interpreter, so it would be measured under a wrong name. The last stage of the Dockerfile${where} takes its base from elsewhere: name it in workload.interpreter-from, or write \`FROM ${BASE_NAME}\` there.`;
}

/**
 * Whether an image is built on another: it begins with the other's layers, or its history begins with the other's
 * history. Unknown layers count as equal. BuildKit may take a RUN with a secret from its cache if the files below are
 * the same except for their times: the layers are then those of an earlier build of the same interpreter, and the
 * history is that of the named base.
 */
export async function isBasedOn(
  reference: string,
  { id, layers }: Pick<ImageFacts, 'id' | 'layers'>,
  signal: AbortSignal,
): Promise<boolean> {
  const here = await inspectImage(reference);
  const expected = here?.layers ?? (await layersOf(reference, signal));
  if (expected === undefined || expected.every((layer, index) => layer === layers[index])) return true;
  if (here === undefined) return false;
  const [base, image] = [await historyOf(here.id), await historyOf(id)];
  return base.length > 0 && base.every((step, index) => step === image[index]);
}

/** The history of an image, the first step first; empty if the engine does not answer. */
async function historyOf(id: string): Promise<readonly string[]> {
  const { status, stdout } = await tryDocker([
    'history',
    '--no-trunc',
    '--format',
    '{{json .CreatedBy}}',
    id,
  ]);
  return status === 0 ? stdout.trim().split('\n').reverse() : [];
}
