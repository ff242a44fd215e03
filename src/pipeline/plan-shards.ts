import type { Overrides } from '../plan/resolve.ts';
import { chooseShards, type ShardChoice } from '../planning/shards.ts';
import { sidesOf, type Occasion } from './occasion.ts';
import type { JobPorts } from './ports.ts';
import type { Project } from './project.ts';
import { ruledPlan } from './ruled-plan.ts';
import { readHistory } from './stored-history.ts';

export interface PlannedShards extends ShardChoice {
  /** The name of the configuration. */
  readonly configuration: string;
  readonly budgetSeconds: number;
}

/**
 * Divides a gate into jobs, without building or measuring: from the plan that will judge (the head's variants, the base's
 * rules), and from how long its variants took in the stored nights.
 * @param most the largest number of jobs
 */
export async function planShards(
  project: Project,
  overrides: Overrides,
  occasion: Occasion,
  ports: JobPorts,
  most: number,
): Promise<PlannedShards> {
  const { sides, standing } = await sidesOf(project, occasion, ports.source);
  const { plan } = await ruledPlan(project, overrides, { standing, sides }, ports.source);
  const { sessions } = await readHistory(project, plan, occasion, ports);
  const { budgetSeconds, configuration } = plan;
  const { blocks } = plan.rules;
  const names = plan.variants.map(({ name }) => name);
  return {
    ...chooseShards(names, sessions, { blocks, budgetSeconds, most }),
    ...{ configuration, budgetSeconds },
  };
}
