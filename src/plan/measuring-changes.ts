import type { MeasuringChange } from '../session/measuring.ts';
import type { Install, Plan, Variant, Workload } from './plan.ts';
import { own } from '../session/record.ts';

/** Path in the context -> hash of its content, for the files that `workload.files` names on a side. */
export type MeasuringFiles = Readonly<Record<string, string>>;

/** What a head changes of what measures it: the differences between its configuration and files and the base's. */
export function measuringChanges(
  head: { readonly plan: Plan; readonly files: MeasuringFiles },
  base: { readonly plan: Plan; readonly files: MeasuringFiles },
): MeasuringChange[] {
  return [
    ...variantChanges(head.plan.variants, base.plan.variants),
    ...workloadChanges(head.plan.workload, base.plan.workload),
    ...fileChanges(head.files, base.files),
  ];
}

function variantChanges(head: readonly Variant[], base: readonly Variant[]): MeasuringChange[] {
  const named = (variants: readonly Variant[], name: string) => variants.find((own) => own.name === name);
  return [
    ...base
      .filter(({ name }) => named(head, name) === undefined)
      .map(({ name }): MeasuringChange => ({ kind: 'variant_removed', variant: name })),
    ...head.flatMap((variant): MeasuringChange[] => {
      const { name } = variant;
      const before = named(base, name);
      if (before === undefined) return [{ kind: 'variant_added', variant: name }];
      const keys = differingKeys(before, variant);
      return keys.length === 0
        ? []
        : [{ kind: 'variant_edited', variant: name, keys, starts: keys.some((key) => STARTING.has(key)) }];
    }),
  ];
}

/** The keys of a variant that decide how the workload is started: `flags: [-cpass]` is another command. */
const STARTING: ReadonlySet<string> = new Set(['flags', 'env', 'python']);

function differingKeys(a: Variant, b: Variant): string[] {
  const [before, after] = [settingsOf(a), settingsOf(b)];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (key) => text(own(before, key)) !== text(own(after, key)),
  );
}

/** Each build argument, such as the Python version, counts as a setting. */
const settingsOf = (variant: Variant): Readonly<Record<string, unknown>> =>
  variant.kind === 'interpreter' ? { ...variant, args: undefined, ...variant.args } : { ...variant };

function workloadChanges(head: Workload, base: Workload): MeasuringChange[] {
  const [after, before] = [workloadSettings(head), workloadSettings(base)];
  return [
    ...(text(head.command) === text(base.command)
      ? []
      : [{ kind: 'command' as const, base: [...base.command], head: [...head.command] }]),
    ...[...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name): MeasuringChange[] => {
      const [was, is] = [text(own(before, name)), text(own(after, name))];
      return was === is ? [] : [{ kind: 'setting', name, base: was, head: is }];
    }),
  ];
}

/** The settings by their keys, each setting of a server separately. */
function workloadSettings({ server, ...workload }: Workload): Readonly<Record<string, unknown>> {
  return {
    context: workload.context,
    ...installSettings(workload.install),
    files: workload.files.join(', '),
    timeout: `${workload.timeoutSeconds} s`,
    env: Object.entries(workload.env)
      .map(([name, value]) => `${name}=${value}`)
      .sort()
      .join(', '),
    network: workload.network,
    memory: workload.memoryBytes === undefined ? undefined : `${workload.memoryBytes} bytes`,
    pids: workload.pids,
    repetitions: workload.repetitions,
    // If a server is new or removed, all of its settings are.
    ...(server === undefined
      ? {}
      : {
          'server.ready': server.ready,
          'server.load': server.load.join(' '),
          'server.warm-up': server.warmUp,
          'server.start-timeout': `${server.startTimeoutSeconds} s`,
          'server.stop': server.stop,
          'server.stop-timeout': `${server.stopTimeoutSeconds} s`,
        }),
  };
}

/** Without what is empty: most configurations install nothing besides. */
const installSettings = (install: Install | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(install ?? {})
      .filter(([, names]) => (names as readonly string[]).length > 0)
      .map(([key, names]) => [`install.${key}`, (names as readonly string[]).join(', ')]),
  );

function fileChanges(head: MeasuringFiles, base: MeasuringFiles): MeasuringChange[] {
  const [edited, added, removed] = [
    Object.keys(base).filter((path) => Object.hasOwn(head, path) && own(head, path) !== own(base, path)),
    Object.keys(head).filter((path) => !Object.hasOwn(base, path)),
    Object.keys(base).filter((path) => !Object.hasOwn(head, path)),
  ];
  return edited.length + added.length + removed.length === 0
    ? []
    : [{ kind: 'files', edited, added, removed }];
}

/** Null without a value. */
function text(value: unknown): string | null {
  if (value === undefined) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/**
 * The workload that is measured: command, repetitions and server come from the base, all other settings from the head.
 * @param kept files of the base's `workload.files` that the head has too; both sides use them
 */
export function judgingWorkload(head: Workload, base: Workload, kept: readonly string[]): Workload {
  return {
    ...head,
    server: base.server,
    command: base.command,
    repetitions: base.repetitions,
    files: withKept(head.files, kept),
  };
}

/** The head's paths, and those of the base that the head still has. Both sides use them. */
export const withKept = (own: readonly string[], kept: readonly string[]): readonly string[] => [
  ...own,
  ...kept.filter((path) => !own.includes(path)),
];

/** Whether two workloads start the same. */
export const startSame = (a: Workload, b: Workload): boolean =>
  text([a.command, a.repetitions, a.server ?? null]) === text([b.command, b.repetitions, b.server ?? null]);
