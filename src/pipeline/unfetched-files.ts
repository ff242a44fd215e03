import { join, resolve } from 'node:path';
import { StoreError } from '../errors/errors.ts';
import { isAddress } from '../plan/moving-contexts.ts';
import type { Plan } from '../plan/plan.ts';
import type { SourcePort } from './ports.ts';

type FetchedFiles = Pick<SourcePort, 'lfsPointers' | 'ignoredByImage' | 'ignoredInFolder'>;

/**
 * Rejects Git LFS pointers in place of their files, because measurements with a pointer are meaningless. Pointers that
 * no image contains are ignored. The files of a bake file's build are unknown here, so their pointers are only
 * reported.
 *
 * @param tree one side's files, absolute
 * @param subject whose files they are, for the message
 * @returns sentences about pointers that may be part of an image
 * @throws StoreError with the pointers' names
 */
export async function refusePointers(
  plan: Plan,
  tree: string,
  subject: string,
  source: FetchedFiles,
): Promise<readonly string[]> {
  const { workload, variants } = plan;
  const context = join(tree, workload.context);
  refuse('the folders of named contexts (`contexts`)', await contextPointers(plan, source));
  const found = new Set<string>();
  for (const path of workload.files)
    for (const name of await source.lfsPointers(context, path)) found.add(name);
  const kinds = new Set(variants.map(({ kind }) => kind));
  if (kinds.has('interpreter') || kinds.has('host')) {
    const ignores = kinds.has('host')
      ? () => false
      : await source.ignoredByImage(context, workload.dockerfile);
    for (const name of await source.lfsPointers(context)) if (!ignores(name)) found.add(name);
  }
  refuse(subject, [...found]);
  const doubtful = kinds.has('bake') ? await source.lfsPointers(tree) : [];
  return doubtful.length === 0
    ? []
    : [
        `In ${subject}, ${named(doubtful)} ${doubtful.length === 1 ? 'is a Git LFS pointer' : 'are Git LFS pointers'}, not the file that was committed. If the bake file puts it into an image, the image is measured with the pointer. Let git fetch it (\`lfs: true\` for actions/checkout).`,
      ];
}

function refuse(subject: string, pointers: readonly string[]): void {
  if (pointers.length > 0)
    throw new StoreError(
      `In ${subject}, ${named(pointers)} ${pointers.length === 1 ? 'is a Git LFS pointer' : 'are Git LFS pointers'}: a few lines that stand for a file that was not fetched. Nothing was built or run, because a measurement with them would be meaningless. Let git fetch the files: \`lfs: true\` for actions/checkout, \`git lfs install\` and \`git lfs pull\` on a terminal, and no GIT_LFS_SKIP_SMUDGE for Pacegate; both sides are then fetched. What no image needs can be left out by .dockerignore.`,
    );
}

/**
 * Pointers in the folders that interpreters are built with. These folders are of the checkout, and the same for both
 * sides.
 */
async function contextPointers({ root, variants }: Plan, source: FetchedFiles): Promise<readonly string[]> {
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
    const ignores = await source.ignoredInFolder(path);
    for (const name of await source.lfsPointers(path)) if (!ignores(name)) found.add(join(folder, name));
  }
  return [...found];
}

const MOST_NAMED = 5;

function named(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMED).join(', ');
  return names.length > MOST_NAMED ? `${shown} and ${names.length - MOST_NAMED} more` : shown;
}
