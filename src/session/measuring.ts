import { z } from 'zod';
import { sideSchema } from './run.ts';

/**
 * What a change removes or edits of what measures it: variants, the command, the measuring code. It is found before any
 * run, by comparing configuration and files of the base and the head.
 */

/** The effect of such a change: the report lists it, or the gate fails. */
export const CHANGED_MEASUREMENT = ['report', 'fail'] as const;
export type ChangedMeasurement = (typeof CHANGED_MEASUREMENT)[number];

export const measuringChangeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('variant_removed'), variant: z.string() }),
  z.object({ kind: z.literal('variant_added'), variant: z.string() }),
  z.object({
    kind: z.literal('variant_edited'),
    variant: z.string(),
    /** The keys that differ. */
    keys: z.array(z.string()),
    /** Whether these keys decide how the workload is started: flags, environment, the interpreter's command. */
    starts: z.boolean(),
  }),
  z.object({ kind: z.literal('command'), base: z.array(z.string()), head: z.array(z.string()) }),
  /** Another key of `workload`; null if a side does not have it. */
  z.object({
    kind: z.literal('setting'),
    name: z.string(),
    base: z.string().nullable(),
    head: z.string().nullable(),
  }),
  /** Files of `workload.files`, by their paths in the context. */
  z.object({
    kind: z.literal('files'),
    edited: z.array(z.string()),
    added: z.array(z.string()),
    removed: z.array(z.string()),
  }),
]);
export type MeasuringChange = z.infer<typeof measuringChangeSchema>;

/**
 * Runs of one side's image with the base's and the head's measuring code, in turns. Values with the same index form a
 * pair; all values are in the metric's unit.
 */
export const measuringTrialSchema = z.object({
  variant: z.string(),
  /** The side of the image. */
  image: sideSchema,
  pairs: z.int().nonnegative(),
  /** Metric -> values of the runs, by their measuring code. */
  base: z.record(z.string(), z.array(z.number())),
  head: z.record(z.string(), z.array(z.number())),
  /** Why a version of the measuring code did not run in this image; absent if it did. */
  failures: z.object({ base: z.string().optional(), head: z.string().optional() }).default({}),
});
export type MeasuringTrial = z.infer<typeof measuringTrialSchema>;

export const measuringSchema = z.object({
  changes: z.array(measuringChangeSchema),
  /** Which side's command the blocks measured, if the commands differ, and why it was not the base's. */
  command: z.object({ of: z.enum(['base', 'head']), reason: z.string().optional() }).optional(),
  trials: z.array(measuringTrialSchema).default([]),
});
export type Measuring = z.infer<typeof measuringSchema>;

/** The variants that the base does not have: they are tested in a family of their own. */
export const addedVariants = (
  measuring: { readonly changes: readonly MeasuringChange[] } | undefined,
): ReadonlySet<string> =>
  new Set(
    (measuring?.changes ?? []).flatMap((change) => (change.kind === 'variant_added' ? [change.variant] : [])),
  );

/** Whether a change removes or edits what measures it. Additions do not count. */
export const takesAway = (change: MeasuringChange): boolean =>
  change.kind === 'variant_edited' ? change.starts : change.kind !== 'variant_added';

/**
 * The metrics that the base's own measuring code reported in the trials of both versions: in this variant, or in the
 * others if this one had no trial. Undefined if it was not tried, because then it is unknown what a change adds.
 */
export function reportedByBase(
  measuring: Pick<Measuring, 'trials'> | undefined,
): (variant: string) => ReadonlySet<string> | undefined {
  const tried = (measuring?.trials ?? []).filter(({ base }) => Object.keys(base).length > 0);
  const namesIn = (trials: readonly MeasuringTrial[]) =>
    trials.length === 0 ? undefined : new Set(trials.flatMap(({ base }) => Object.keys(base)));
  const all = namesIn(tried);
  return (variant) => namesIn(tried.filter((trial) => trial.variant === variant)) ?? all;
}
