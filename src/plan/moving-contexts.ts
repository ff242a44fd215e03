import type { Plan } from './plan.ts';

/** The addresses that BuildKit clones: `https://host/name.git`, and optionally `#ref` or `#ref:folder`. */
const REPOSITORY = /^https?:\/\/[^#]+\.git(?:#(.*))?$/;
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})(?::|$)/;

/** Whether a context is an address and not a folder. The configuration allows only known schemes. */
export const isAddress = (context: string): boolean => context.includes('://');

/**
 * Sentences on named contexts whose address may have other files tomorrow. An image is pinned by the digest that its
 * tag has today, and a folder by its files. Any other address is not pinned.
 */
export function movingContexts({ variants }: Pick<Plan, 'variants'>): string[] {
  return variants.flatMap((variant) =>
    variant.kind !== 'interpreter'
      ? []
      : Object.entries(variant.contexts).flatMap(([name, value]) => {
          const advice = adviceOn(value);
          return advice === undefined
            ? []
            : [
                `variants.${variant.name}.contexts.${name} is ${value}, which may move: it can hold other files tomorrow, and Pacegate does not notice. ${advice}`,
              ];
        }),
  );
}

function adviceOn(value: string): string | undefined {
  if (!/^https?:\/\//.test(value)) return undefined;
  const repository = REPOSITORY.exec(value);
  if (repository === null)
    return 'Keep its files in a folder of the repository, or in an image (docker-image://…@sha256:…).';
  return COMMIT.test(repository[1] ?? '') ? undefined : 'Add a whole commit hash: https://….git#<commit>.';
}
