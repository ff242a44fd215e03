import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { StoreError } from '../errors/errors.ts';
import { mergedIgnore } from '../images/dockerfile.ts';
import { ignoring } from '../images/ignored.ts';
import { isAddress } from '../images/paths.ts';
import type { Plan } from '../plan/plan.ts';
import { lfsPointers } from '../source/lfs-pointers.ts';
import type { Places } from '../main/places.ts';

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
  plan: Plan,
  tree: string,
  subject: string,
  places?: Places,
): Promise<readonly string[]> {
  const { workload, variants } = plan;
  const context = join(tree, workload.context);
  refuse('the folders of named contexts (`contexts`)', await contextPointers(plan));
  const found = new Set<string>();
  for (const path of workload.files) for (const name of await lfsPointers(context, path)) found.add(name);
  const kinds = new Set(variants.map(({ kind }) => kind));
  if (kinds.has('interpreter') || kinds.has('host')) {
    const ignores = kinds.has('host')
      ? () => false
      : ignoring(await ignoreFile(context, workload.dockerfile, places));
    for (const name of await lfsPointers(context)) if (!ignores(name)) found.add(name);
  }
  refuse(subject, [...found]);
  const doubtful = kinds.has('bake') ? await lfsPointers(tree) : [];
  return doubtful.length === 0
    ? []
    : [
        `In ${subject}, ${named(doubtful)} ${doubtful.length === 1 ? 'is a Git LFS pointer' : 'are Git LFS pointers'}, and not the file that was committed. Where the bake file puts it into an image, the image is measured with the pointer: let git fetch it (\`lfs: true\` for actions/checkout).`,
      ];
}

function refuse(subject: string, pointers: readonly string[]): void {
  if (pointers.length > 0)
    throw new StoreError(
      `In ${subject}, ${named(pointers)} ${pointers.length === 1 ? 'is a Git LFS pointer' : 'are Git LFS pointers'}: a few lines that stand for a file that was not fetched. Nothing was built or run, for a measurement with them says nothing. Let git fetch the files: \`lfs: true\` for actions/checkout, \`git lfs install\` and \`git lfs pull\` on a terminal, and no GIT_LFS_SKIP_SMUDGE for Pacegate; both sides are then fetched. What no image needs can be left out by .dockerignore.`,
    );
}

/** Pointers in the folders that interpreters are built with: they are the checkout's, the same for both sides. */
async function contextPointers({ root, variants }: Plan): Promise<readonly string[]> {
  const folders = new Set(
    variants.flatMap((variant) =>
      variant.kind === 'interpreter'
        ? Object.values(variant.contexts).filter((value) => !isAddress(value))
        : [],
    ),
  );
  const found = new Set<string>();
  for (const folder of folders) {
    const path = resolve(root, folder);
    const ignores = ignoring(await readFile(join(path, '.dockerignore'), 'utf8').catch(() => ''));
    for (const name of await lfsPointers(path)) if (!ignores(name)) found.add(join(folder, name));
  }
  return [...found];
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
