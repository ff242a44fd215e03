import { ConfigurationError } from '../errors/errors.ts';
import { MARCH_LEVELS } from '../session/cpu.ts';
import type { Configuration, VariantConfiguration } from './configuration.ts';
import { DEFAULTS } from './defaults.ts';
import type { Problem, YamlDocument } from './document.ts';
import type { InterpreterVariant, Plan } from './plan.ts';
import { definedOnly, own } from '../session/record.ts';

/** A variant of the configuration whose interpreter is built from a folder of `variants/`. */
type Given = Exclude<
  Extract<VariantConfiguration, { readonly interpreter: string }>,
  { readonly interpreter: 'host' }
>;

/** The interpreters that are compiled from source. */
type CompiledVariant = Extract<Given, { readonly interpreter: Compiled }>;

/** The flavours of the one Dockerfile that compiles CPython, by the interpreters' names. */
const FLAVOURS = {
  pyenv: 'plain',
  'pyenv-optimized': 'optimized',
  'pyenv-native': 'native',
  'pyenv-bolt': 'bolt',
} as const;
type Compiled = keyof typeof FLAVOURS;

/** Interpreters that are compiled from source, which takes minutes to half an hour. */
export const isCompiled = (interpreter: string): interpreter is Compiled =>
  Object.hasOwn(FLAVOURS, interpreter);

/** The version of LLVM that the JIT of each CPython requires. */
const JIT_LLVM: Readonly<Record<string, string>> = { '3.13': '18', '3.14': '19', '3.15': '21' };

/** The newest LLVM of Debian's releases, where it is too old for a JIT; releases after these have it. */
const NEWEST_LLVM: Readonly<Record<string, number>> = { bookworm: 19, trixie: 19 };

/** Whether the packages of a release lack the LLVM that a JIT requires. A base of the project's own may have others. */
function lacksLlvm(given: Given, python: string): boolean {
  if (given.base !== undefined) return false;
  const release = ('debian' in given ? given.debian : undefined) ?? DEFAULTS.debian;
  return Number(own(JIT_LLVM, minorOf(python)) ?? 0) > (own(NEWEST_LLVM, release) ?? Infinity);
}

/** The build arguments of the interpreter's Dockerfile. */
export function interpreterOf(given: Given): Pick<InterpreterVariant, 'interpreter' | 'args' | 'march'> {
  const march = 'march' in given ? given.march : given.interpreter === 'pyenv-native' ? 'native' : undefined;
  return {
    interpreter: given.interpreter,
    args: definedOnly({
      PYTHON_VERSION: given.python,
      ...systemOf(given),
      BASE_IMAGE: given.base,
      UV_PYTHON_INSTALL_MIRROR: 'mirror' in given ? given.mirror : undefined,
      UV_PYTHON_DOWNLOADS_JSON_URL: 'downloads' in given ? given.downloads : undefined,
      CHANNEL: 'channel' in given ? given.channel : undefined,
      PYTHON_BUILD: 'release' in given ? given.release : undefined,
      ...(compiled(given) ? compiledArguments(given) : {}),
    }),
    march,
  };
}

/** The argument that selects the system below an interpreter; Wolfi has no releases. */
function systemOf(given: Given): Record<string, string> {
  if (given.interpreter === 'wolfi') return {};
  if (given.interpreter === 'alpine') return { ALPINE_RELEASE: given.alpine ?? DEFAULTS.alpine };
  if (given.interpreter === 'dhi') return { DISTRIBUTION: given.distribution ?? DEFAULTS.distribution };
  return { DEBIAN_RELEASE: given.debian ?? DEFAULTS.debian };
}

const compiled = (given: Given): given is CompiledVariant => isCompiled(given.interpreter);

function compiledArguments(given: CompiledVariant): Record<string, string> {
  // A list reaches the Dockerfile as one argument: words without spaces, separated by spaces.
  const { configure = [], jit = false, python } = given;
  const options = jit ? [...configure, '--enable-experimental-jit'] : configure;
  const llvm = jit ? own(JIT_LLVM, minorOf(python)) : undefined;
  return definedOnly({
    FLAVOUR: FLAVOURS[given.interpreter],
    CONFIGURE_OPTIONS: options.length === 0 ? undefined : options.join(' '),
    LLVM_VERSION: llvm,
  });
}

/**
 * Refuses to compile for processors of another architecture. It is asked where something is built, and not where the
 * configuration is read: a job on another machine may make the report.
 * @param architecture the machine's, by Node's name
 * @throws ConfigurationError
 */
export function refuseForeignLevels({ variants, file }: Plan, architecture: string): void {
  const machine = architecture === 'x64' ? 'amd64' : architecture;
  const levels: readonly string[] = own<readonly string[]>(MARCH_LEVELS, machine) ?? [];
  const problems = variants.flatMap((variant) =>
    variant.kind !== 'interpreter' ||
    variant.march === undefined ||
    variant.march === 'native' ||
    levels.includes(variant.march)
      ? []
      : [
          `variants.${variant.name}.march: found ${variant.march}, which this machine (${machine}) cannot run; expected: ${[...levels, 'no march'].join(', ')}`,
        ],
  );
  if (problems.length > 0)
    throw new ConfigurationError(
      `${file}: ${problems.join('. ')}. Nothing was built or run. Measure these variants on a machine of that architecture, or select others (\`--variants\`, the input \`variants\`).`,
    );
}

/** `3.13` of `3.13.5t`. */
const minorOf = (version: string): string => /^\d+\.\d+/.exec(version)?.[0] ?? '';

/** 3.13 is the first version with free threading. */
const sinceFreeThreading = (version: string) => {
  const [major = 0, minor = 0] = minorOf(version).split('.').map(Number);
  return major > 3 || (major === 3 && minor >= 13);
};

const FREE_THREADED = ['pyenv', 'pyenv-optimized', 'pyenv-native', 'pyenv-bolt', 'uv', 'conda-forge'];

/**
 * Problems of options that an interpreter or a version of Python does not support, reported before half an hour of
 * compiling.
 */
export function impossibleInterpreters({ variants }: Configuration, document: YamlDocument): Problem[] {
  return Object.entries(variants).flatMap(([name, given]) => {
    if (!('interpreter' in given) || given.interpreter === 'host' || given.python === undefined) return [];
    const { python, interpreter } = given;
    const problem = (key: string, found: string, legal: string): Problem => ({
      line: document.lineOf(['variants', name, key]),
      place: `variants.${name}.${key}`,
      found,
      legal,
    });
    const threaded = python.endsWith('t');
    const jit = 'jit' in given && given.jit === true;
    return [
      ...(threaded && !FREE_THREADED.includes(interpreter)
        ? [
            problem(
              'python',
              `"${python}", a free-threaded Python, of ${interpreter}, which has none`,
              `a version without t, or one of ${FREE_THREADED.join(', ')}`,
            ),
          ]
        : []),
      ...(threaded && !sinceFreeThreading(python)
        ? [problem('python', `"${python}"`, 'a free-threaded Python of 3.13t or newer')]
        : []),
      ...(jit && own(JIT_LLVM, minorOf(python)) === undefined
        ? [
            problem(
              'jit',
              `true with Python ${python}`,
              `a Python whose JIT this version of Pacegate can build: ${Object.keys(JIT_LLVM).join(', ')}`,
            ),
          ]
        : []),
      ...(jit && lacksLlvm(given, python)
        ? [
            problem(
              'jit',
              `true with Python ${python}, whose JIT needs LLVM ${own(JIT_LLVM, minorOf(python)) ?? ''}`,
              'a Debian release that has it (`debian: forky`), or a pinned base with a source of its packages',
            ),
          ]
        : []),
      ...(jit && threaded
        ? [
            problem(
              'jit',
              `true with ${python}`,
              'jit or a free-threaded Python: CPython does not support both',
            ),
          ]
        : []),
    ];
  });
}
