import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pythonSchema, type Python } from '../session/facts.ts';
import { askingDefinition, askingTargetOf, type InterpreterTarget } from './bake.ts';
import type { BuildRequest, BuildResult } from './buildx.ts';
import { parseJson } from '../session/json.ts';

/** Reads which Python a built interpreter is. */

export type PythonAnswer =
  | { readonly kind: 'answered'; readonly python: Python }
  | { readonly kind: 'failed'; readonly message: string };

export interface PythonQuestion {
  readonly target: InterpreterTarget;
  /** The interpreter's image; undefined: a target linked with the question's. */
  readonly interpreterImage: string | undefined;
  /** facts.py on this machine, absolute. */
  readonly script: string;
  readonly workFolder: string;
  readonly build: (
    request: Pick<BuildRequest, 'definition' | 'target' | 'variant' | 'files'>,
    signal: AbortSignal,
  ) => Promise<BuildResult>;
}

const ANSWER = 'python.json';

/**
 * The answer is the only file of an image, and no image is made of it. Python writes it, because not every interpreter's
 * image has a shell.
 */
const DOCKERFILE = `FROM python AS asked
RUN --network=none --mount=type=bind,source=facts.py,target=/pacegate/facts.py \\
    ["python", "-B", "-I", "-S", "/pacegate/facts.py", "python", "/${ANSWER}"]
FROM scratch
COPY --from=asked /${ANSWER} /
`;

/**
 * Reads which Python an interpreter alone is; the application's image must run the same. A build step runs this,
 * because the builder has every interpreter and the engine may not; its cache keeps the answer.
 */
export async function askInterpreter(question: PythonQuestion, signal: AbortSignal): Promise<PythonAnswer> {
  const { target, interpreterImage, script, workFolder, build } = question;
  const variant = target.variant.name;
  const folder = await mkdtemp(join(workFolder, 'python-'));
  try {
    const [context, answer] = [join(folder, 'context'), join(folder, 'answer')];
    await mkdir(context);
    await writeFile(join(context, 'Dockerfile'), DOCKERFILE);
    await copyFile(script, join(context, 'facts.py'));
    const definition = askingDefinition({ ...target, context, answer, interpreterImage });
    const built = await build({ definition, target: askingTargetOf(variant), variant, files: true }, signal);
    if (built.kind === 'failed') return built;
    const text = await readFile(join(answer, ANSWER), 'utf8').catch(() => '');
    const python = pythonSchema.safeParse(parseJson(text)).data;
    return python === undefined
      ? {
          kind: 'failed',
          message: `${variant}: its interpreter was asked which Python it is, and its answer cannot be read: ${JSON.stringify(text.slice(0, 120))}.`,
        }
      : { kind: 'answered', python };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
