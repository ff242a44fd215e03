import type { MetricRule } from '../session/metric.ts';
import type { Run, Side } from '../session/run.ts';
import type { Session } from '../session/session.ts';
import { nearlyNormalFrom } from '../statistics/normal.test-support.ts';
import { uniformSource } from '../statistics/random.ts';
import { image, session } from '../session/session.test-support.ts';

/** Sessions of several variants for tests, from a function that says every value. */

type Values = Readonly<Record<string, number>>;

interface Ranked {
  readonly blocks: number;
  readonly metrics?: readonly MetricRule[];
  readonly sides?: readonly Side[];
  readonly purpose?: Session['purpose'];
}

/** @param valuesOf the metrics of a run; undefined for a run that was not made */
export function rankingSession(
  variants: readonly string[],
  valuesOf: (variant: string, block: number, side: Side) => Values | undefined,
  { blocks, metrics, sides = ['head'], purpose = 'ranking' }: Ranked,
  change: Partial<Session> = {},
): Session {
  const whole = session(metrics);
  const runs = Array.from({ length: blocks }, (_, index) =>
    variants.flatMap((variant) =>
      sides.flatMap((side, position): Run[] => {
        const values = valuesOf(variant, index + 1, side);
        if (values === undefined) return [];
        return [
          {
            side,
            variant,
            block: index + 1,
            position: position === 0 ? 0 : 1,
            attempt: 0,
            started: whole.started,
            outcome: 'ok',
            metrics: { ...values },
            noise: { load_1m: 0.4, steal_s: 0 },
            exitStatus: 0,
          },
        ];
      }),
    ),
  ).flat();
  return {
    ...whole,
    purpose,
    variants: [...variants],
    sides: [...sides],
    rules: { ...whole.rules, blocks },
    images: variants.flatMap((variant) => sides.map((side) => image(variant, side, `${variant}-${side}`))),
    runs,
    ...change,
  };
}

/** Values around each variant's level, with a noise of known size; the block's own noise is shared by its variants. */
export function noisyValues(
  levels: Readonly<Record<string, Values>>,
  {
    noise,
    block: shared = 0,
    seed,
  }: { readonly noise: number; readonly block?: number; readonly seed: number },
): (variant: string, block: number) => Values {
  const normal = nearlyNormalFrom(uniformSource(seed));
  const drifts = new Map<number, number>();
  return (variant, block) => {
    const drift = drifts.get(block) ?? shared * normal();
    drifts.set(block, drift);
    return Object.fromEntries(
      Object.entries(levels[variant] ?? {}).map(([name, level]) => [
        name,
        level * Math.exp(drift + noise * normal()),
      ]),
    );
  };
}
