import { z } from 'zod';
import { sideSchema } from './run.ts';

/**
 * What a change takes away from, or edits in, what measures it: variants, the command, the measuring code. Found before
 * anything is run, by the base's configuration and files beside the head's.
 */

/** What such a change does to the verdict: it stands in the report, or the gate says no. */
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
    /** Whether they say how the workload is started: flags, environment, the interpreter's command. */
    starts: z.boolean(),
  }),
  z.object({ kind: z.literal('command'), base: z.array(z.string()), head: z.array(z.string()) }),
  /** Another key of `workload`; null where a side does not have it. */
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
 * Runs of one side's image with the measuring code of the base and with that of the head, in turns. The same index is
 * the same pair; all values are in the metric's unit.
 */
export const measuringTrialSchema = z.object({
  variant: z.string(),
  /** Whose image it is. */
  image: sideSchema,
  pairs: z.int().nonnegative(),
  /** Metric -> values of the runs, by the measuring code that the run had. */
  base: z.record(z.string(), z.array(z.number())),
  head: z.record(z.string(), z.array(z.number())),
  /** Why a measuring code did not run in this image; absent where it did. */
  failures: z.object({ base: z.string().optional(), head: z.string().optional() }).default({}),
});
export type MeasuringTrial = z.infer<typeof measuringTrialSchema>;

export const measuringSchema = z.object({
  changes: z.array(measuringChangeSchema),
  /** Whose command the blocks measured, where the sides' differ, and why it was not the base's. */
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

/** Whether a change takes from what measures or edits it: what is added takes nothing away. */
export const takesAway = (change: MeasuringChange): boolean =>
  change.kind === 'variant_edited' ? change.starts : change.kind !== 'variant_added';

/**
 * What the base's own measuring code reported, by the trials of both versions: a variant's own, or those of the others
 * where it has none. Undefined where it was not tried: then nothing is known of what a change adds.
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
