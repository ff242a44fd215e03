import type { Runnable } from '../measure/engine.ts';
import type { Ports, VariantSides } from './ports.ts';
import { identical } from './sides.ts';

/**
 * Finds heads with the same content as their baselines and gives them the baselines' identity, so that they are not
 * measured. Two builds of one tree differ in the times of their files, and in bytecode that contains these times.
 */
export async function withSameContent(
  variants: readonly VariantSides[],
  secondsLeft: () => number,
  ports: Ports,
  signal: AbortSignal,
): Promise<readonly VariantSides[]> {
  const compared: VariantSides[] = [];
  for (const variant of variants) {
    const { baseline, head } = variant.sides;
    const isSame =
      baseline?.image.engine === 'container' &&
      head !== undefined &&
      !identical(variant) &&
      !signal.aborted &&
      start(baseline) === start(head) &&
      (await ports.images.haveSameContent([baseline, head], signal, secondsLeft()));
    compared.push(
      isSame
        ? {
            ...variant,
            sides: {
              ...variant.sides,
              head: {
                ...head,
                image: { ...head.image, identity: baseline.image.identity, sameContent: true as const },
              },
            },
          }
        : variant,
    );
  }
  return compared;
}

/** How an interpreter is started. A difference affects the runs. */
const start = ({ python, flags, env }: Runnable) =>
  JSON.stringify([python, flags, Object.entries(env).sort()]);

/** Sentences for the report. */
export const sameContentNotes = (variants: readonly VariantSides[]): readonly string[] =>
  variants
    .filter(({ sides }) => sides.head?.image.sameContent === true)
    .map(
      ({ variant }) =>
        `${variant}: same content, not measured. The layers of the two sides differ in the times of their files only; paths, modes, owners and contents are equal.`,
    );
