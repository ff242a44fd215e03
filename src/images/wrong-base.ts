import { readFile } from 'node:fs/promises';
import { BASE_NAME } from './bake.ts';
import { tryDocker } from './docker.ts';
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
  image: ImageFacts,
  dockerfile: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (reference === undefined || (await standsOn(reference, image, signal))) return undefined;
  const base = finalBase(await readFile(dockerfile, 'utf8').catch(() => ''));
  const where = base === undefined ? '' : ` (line ${base.line}: \`${base.text}\`)`;
  return `the built image does not stand on this variant's interpreter, so it would be measured under a wrong name. The last stage of the Dockerfile${where} takes its base from elsewhere: name it in workload.interpreter-from, or write \`FROM ${BASE_NAME}\` there.`;
}

/**
 * Whether an image is built upon another: its first layers are those of it, or its history begins with the history of it.
 * Layers that are not known are taken to be.
 *
 * BuildKit takes a RUN with a secret from its cache where the files underneath are the same, whatever their times: the
 * layers are then those of an earlier build of the same interpreter. The history is that of the base that was named.
 */
export async function standsOn(
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

/** The steps that made an image, the first one first; none where the engine does not answer. */
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
