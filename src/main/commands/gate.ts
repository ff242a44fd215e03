import { InvalidArgumentError, Option } from 'commander';
import { ConfigurationError } from '../../errors/errors.ts';
import { gateRepository } from '../../pipeline/gate-repository.ts';
import { overridesOf } from '../../plan/resolve.ts';
import { evidenceRequestSchema } from '../../session/rules.ts';
import { parseShard, SHARD_WORDS, type ShardRequest } from '../../session/shard.ts';
import { exitStatus } from '../../verdict/exit-status.ts';
import { readSessions } from '../../out-folder/session-files.ts';
import { COULD_NOT_BE_MEASURED, TERMINAL, withRun, type AddCommand, type CommandContext } from './command.ts';
import { collect, openProjectHere, option, type Planned } from './options.ts';
import { printVerdict } from './verdict.ts';

/** `pacegate gate`: builds and measures a change and its base, and gives the verdict. */

function shard(text: string): ShardRequest {
  const request = parseShard(text);
  if (request === undefined) throw new InvalidArgumentError(`Expected: ${SHARD_WORDS}.`);
  return request;
}

interface GateOptions extends Planned {
  readonly baseline?: string;
  readonly shard?: ShardRequest;
  readonly confirm?: readonly string[];
  readonly coldBuilds?: boolean;
}

export const addGate: AddCommand = (program, context, done) => {
  program
    .command('gate')
    .description('build and measure this change and its base, and give the verdict')
    .addOption(option.config())
    .addOption(
      new Option('--baseline <ref>', 'the commit to compare with (default: where this branch began)'),
    )
    .addOption(option.out())
    .addOption(option.format())
    .addOption(option.variants())
    .addOption(option.failOn())
    .addOption(
      new Option('--evidence <kind>', 'what the verdict may rest on').choices(evidenceRequestSchema.options),
    )
    .addOption(option.budget())
    .addOption(option.seed())
    .addOption(option.branch())
    .addOption(
      new Option(
        '--shard <index/of>',
        "measure this job's share of the variants; merge gives the verdict",
      ).argParser(shard),
    )
    .addOption(
      new Option(
        '--confirm <path>',
        'measure the regressions of an earlier job again, from its session.json or a folder of its shards',
      ).argParser((path: string, before?: readonly string[]) => collect(path, before ?? [])),
    )
    .addOption(
      new Option('--cold-builds', 'build both sides once more without a cache, to measure the build time'),
    )
    .action(async (options: GateOptions) => done(await gateCommand(context, options)));
};

export async function gateCommand(context: CommandContext, options: GateOptions): Promise<number> {
  const { shard, confirm, coldBuilds = false } = options;
  if (shard !== undefined && confirm !== undefined)
    throw new ConfigurationError(
      `--shard ${shard.index}/${shard.of} and --confirm were both given; expected: one of them. One job confirms the regressions of all shards.`,
    );
  const project = await openProjectHere(options);
  const first = confirm === undefined ? undefined : await readSessions(confirm);
  return await withRun(context, options.out, async (run, ports) => {
    const judged = await gateRepository(
      project,
      overridesOf(options),
      {
        ...TERMINAL,
        secretsOnPullRequests: true,
        baselineRef: options.baseline,
      },
      run,
      ports,
      context.signal,
      {
        coldBuilds,
        skips: true,
        shard,
        confirm: first,
      },
    );
    const { comparison, remarks, plan, interrupted } = judged;
    await printVerdict(context, judged, remarks, run.out, options);
    return interrupted ? COULD_NOT_BE_MEASURED : exitStatus(comparison, plan.rules.failOn);
  });
}
