import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreError } from '../errors/errors.ts';
import { mergedIgnore } from '../images/dockerfile.ts';
import { ignoring } from '../images/ignored.ts';
import type { Plan } from '../plan/plan.ts';
import { lfsPointers } from '../source/lfs-pointers.ts';
import type { Places } from './places.ts';

/**
 * Refuses to measure with a Git LFS pointer in the place of its file: whatever that gives, it says nothing of the files.
 * What no image is given is left alone; what a bake file takes is not known here, and is said.
 *
 * @param tree one side's files, absolute
 * @param subject whose files they are, for the message
 * @param places where the ignore file of the default Dockerfile is; its lines come before the project's
 * @returns sentences on pointers that may be part of an image
 * @throws StoreError that names them
 */
export async function refusePointers(
  { workload, variants }: Plan,
  tree: string,
  subject: string,
  places?: Places,
): Promise<readonly string[]> {
  const context = join(tree, workload.context);
  const found = new Set<string>();
  for (const path of workload.files) for (const name of await lfsPointers(context, path)) found.add(name);
  const kinds = new Set(variants.map(({ kind }) => kind));
  if (kinds.has('interpreter') || kinds.has('host')) {
    const ignores = kinds.has('host')
      ? () => false
      : ignoring(await ignoreFile(context, workload.dockerfile, places));
    for (const name of await lfsPointers(context)) if (!ignores(name)) found.add(name);
  }
  if (found.size > 0)
    throw new StoreError(
      `In ${subject}, ${named([...found])} ${found.size === 1 ? 'is a Git LFS pointer' : 'are Git LFS pointers'}: a few lines that stand for a file that was not fetched. Nothing was built or run, for a measurement with them says nothing. Let git fetch the files: \`lfs: true\` for actions/checkout, \`git lfs install\` and \`git lfs pull\` on a terminal, and no GIT_LFS_SKIP_SMUDGE for Pacegate; both sides are then fetched. What no image needs can be left out by .dockerignore.`,
    );
  const doubtful = kinds.has('bake') ? await lfsPointers(tree) : [];
  return doubtful.length === 0
    ? []
    : [
        `In ${subject}, ${named(doubtful)} ${doubtful.length === 1 ? 'is a Git LFS pointer' : 'are Git LFS pointers'}, and not the file that was committed. Where the bake file puts it into an image, the image is measured with the pointer: let git fetch it (\`lfs: true\` for actions/checkout).`,
      ];
}

/** As docker looks for it: beside the Dockerfile, else at the top of the context. */
async function ignoreFile(
  context: string,
  dockerfile: string | undefined,
  places: Places | undefined,
): Promise<string> {
  const text = async (path: string) => await readFile(path, 'utf8').catch(() => undefined);
  const projects = await text(join(context, '.dockerignore'));
  if (dockerfile !== undefined)
    return (await text(join(context, `${dockerfile}.dockerignore`))) ?? projects ?? '';
  const ours =
    places === undefined
      ? undefined
      : await text(join(places.variants, 'application/Dockerfile.dockerignore'));
  return mergedIgnore(ours ?? '', projects);
}

const MOST_NAMED = 5;

function named(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMED).join(', ');
  return names.length > MOST_NAMED ? `${shown} and ${names.length - MOST_NAMED} more` : shown;
}
