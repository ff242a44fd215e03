import { isCompiled } from '../plan/interpreters.ts';
import type { ColdBuilds, Plan, Variant } from '../plan/plan.ts';
import { SIDES, type Side } from '../session/run.ts';
import type { Image } from '../session/session.ts';
import type { Ports, SideTree, VariantSides } from './ports.ts';
import { ownApplication, ownVariant } from './sides.ts';

/** Which figures of the images themselves are measured: each costs more than a look at what is there. */
export interface BuildFigures {
  /** Which images are built once more, alone and with no step from a cache. */
  readonly coldBuilds: ColdBuilds;
  /** Compress the images' layers as a registry would. */
  readonly compressed: boolean;
}

const isBuiltCold = (variant: Variant, which: ColdBuilds): boolean =>
  variant.kind === 'interpreter' &&
  (which === 'all' || (which === 'quick' && !isCompiled(variant.interpreter)));

/** What a plan's metrics ask for: a figure that is judged has to be had. */
export function figuresOf({ rules: { metrics } }: Plan): BuildFigures {
  const judged = (...names: readonly string[]) =>
    metrics.some(({ name, gate }) => gate && names.includes(name));
  return {
    coldBuilds: judged('build_time_s', 'build_cpu_time_s') ? 'all' : 'none',
    compressed: judged('image_compressed_bytes'),
  };
}

export interface FiguresRequest {
  readonly plan: Plan;
  readonly variants: readonly VariantSides[];
  /** Variants of which both sides are one image: nothing to compare. */
  readonly skipped: ReadonlySet<string>;
  /** The sides to look at. */
  readonly trees: Readonly<Partial<Record<Side, SideTree>>>;
  readonly filesFrom: string;
  readonly figures: BuildFigures;
  /** Of the budget. */
  readonly secondsLeft: () => number;
}

/**
 * Measures what was asked for and puts it into the images' records, before the first block: a build beside a run would
 * disturb it. What cannot be measured is said and left out; the images are there all the same.
 */
export async function withBuildFigures(
  { plan, variants, skipped, trees, filesFrom, figures, secondsLeft }: FiguresRequest,
  ports: Ports,
  signal: AbortSignal,
): Promise<readonly VariantSides[]> {
  if (figures.coldBuilds === 'none' && !figures.compressed) return variants;
  ports.log.step('Builds and sizes');
  const result: VariantSides[] = [];
  for (const { variant, sides } of variants) {
    const known = plan.variants.find(({ name }) => name === variant);
    const measured: Record<string, VariantSides['sides'][Side]> = { ...sides };
    for (const side of SIDES) {
      const [runnable, tree] = [sides[side], trees[side]];
      if (runnable === undefined || tree === undefined || known === undefined) continue;
      if (runnable.image.engine === 'host' || skipped.has(variant) || signal.aborted) continue;
      const image: Image = { ...runnable.image };
      if (figures.compressed) {
        try {
          image.compressedBytes = await ports.images.compressedSize(runnable, signal, secondsLeft());
        } catch (error) {
          ports.log.warn(error instanceof Error ? error.message : String(error));
        }
      }
      const own = ownVariant(tree, known);
      if (isBuiltCold(own, figures.coldBuilds)) {
        const built = await ports.images.coldBuild(
          {
            variant: own,
            side,
            tree: tree.directory,
            filesFrom,
            ...ownApplication(tree),
            secondsLeft: secondsLeft(),
          },
          signal,
        );
        if (built?.kind === 'built') image.coldBuild = built.cost;
        if (built?.kind === 'failed') ports.log.warn(built.message);
      }
      measured[side] = { ...runnable, image };
    }
    result.push({ variant, sides: measured });
  }
  return result;
}
