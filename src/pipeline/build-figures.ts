import { isCompiled } from '../plan/interpreters.ts';
import type { ColdBuilds, Plan, Variant } from '../plan/plan.ts';
import { SIDES, type Side } from '../session/run.ts';
import type { Image } from '../session/session.ts';
import type { Ports, SideTree, VariantSides } from './ports.ts';
import { imageRequest, ownVariant } from './sides.ts';

/** Which figures of the images to measure. Each of them takes extra time. */
export interface BuildFigures {
  /** Which images to build once more, without a cache. */
  readonly coldBuilds: ColdBuilds;
  /** Whether to compress the images' layers as a registry does. */
  readonly compressed: boolean;
}

const isBuiltCold = (variant: Variant, which: ColdBuilds): boolean =>
  variant.kind === 'interpreter' &&
  (which === 'all' || (which === 'quick' && !isCompiled(variant.interpreter)));

/** The figures that a plan's metrics need. A judged metric must have its figure. */
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
  /** Variants with the same image on both sides. They need no comparison. */
  readonly skipped: ReadonlySet<string>;
  /** The sides to measure. */
  readonly trees: Readonly<Partial<Record<Side, SideTree>>>;
  readonly filesFrom: string;
  readonly figures: BuildFigures;
  /** The rest of the budget. */
  readonly secondsLeft: () => number;
}

/**
 * Measures the requested figures and adds them to the images' records. This happens before the first block, because a
 * build would disturb the runs. A figure that cannot be measured is logged and left out; the images stay usable.
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
          imageRequest(own, side, tree, filesFrom, secondsLeft()),
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
