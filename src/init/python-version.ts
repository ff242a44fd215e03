import type { ProjectFiles } from './project-files.ts';

/** The Python version of the images, and its source. */
export interface PythonChoice {
  readonly version: string;
  /** `.python-version`, `runtime.txt`, `requires-python`, … or `the default`. */
  readonly from: string;
}

const DEFAULT = 13;
const OLDEST = 9;
const NEWEST = 15;

/** The default first, then the newest. */
const MINORS = [DEFAULT, ...range(NEWEST, OLDEST).filter((minor) => minor !== DEFAULT)];

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: from - to + 1 }, (_, index) => from - index);
}

/** Files that pin the version: of pyenv and uv, and of Heroku. */
const PINS = ['.python-version', 'runtime.txt'];

export interface PythonSources {
  readonly files: ProjectFiles;
  /** `requires-python`, or Poetry's `python`. */
  readonly required: string | undefined;
  /** The version of the Dockerfile's `FROM python:…`. */
  readonly image: string | undefined;
}

/**
 * The version that the project names. If it names a range, the default version if it is in the range, else the newest.
 */
export function choosePython({ files, required, image }: PythonSources): PythonChoice | string {
  for (const from of PINS) {
    const [, version, threads = ''] =
      /^\s*(?:cpython-|python-)?(3\.\d+)(?:\.\d+)?(t?)\b/m.exec(files.texts.get(from) ?? '') ?? [];
    if (version !== undefined)
      return isSupported(version)
        ? { version: `${version}${threads}`, from }
        : `${from} is ${version}, and Pacegate measures Python 3.${OLDEST} to 3.${NEWEST}. Name one of these versions, then run init again.`;
  }
  // An older image is measured as it is built. Its version is not used for variants.
  if (image !== undefined && isSupported(image)) return { version: image, from: 'the Dockerfile' };
  const needed = required ?? /python_requires\s*=\s*["']?([^"'\n]+)/.exec(setupTexts(files))?.[1];
  if (needed === undefined) return { version: `3.${DEFAULT}`, from: 'the default' };
  const minor = MINORS.find((one) => satisfies(one, needed));
  return minor === undefined
    ? `requires-python is ${needed.trim()}, and no Python from 3.${OLDEST} to 3.${NEWEST} fits. Set variants.*.python yourself.`
    : { version: `3.${minor}`, from: 'requires-python' };
}

function isSupported(version: string): boolean {
  const minor = Number(version.slice('3.'.length));
  return minor >= OLDEST && minor <= NEWEST;
}

const setupTexts = ({ texts }: ProjectFiles) =>
  `${texts.get('setup.py') ?? ''}\n${texts.get('setup.cfg') ?? ''}`;

/**
 * Whether the newest patch release of Python 3.`minor` is in a range of versions. Supports PEP 440's operators, and
 * Poetry's `^3.9`. An unknown operator excludes no version; the build reports it.
 */
export function satisfies(minor: number, range: string): boolean {
  return range.split('||').some((part) =>
    part
      .split(/\s*,\s*|\s+(?=[<>=!~^])/)
      .map((clause) => clause.trim())
      .filter((clause) => clause !== '')
      .every((clause) => satisfiesOne(minor, clause)),
  );
}

function satisfiesOne(minor: number, clause: string): boolean {
  const found = /^(>=|<=|==|!=|~=|>|<|\^|~)?\s*v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(\.\*)?/.exec(clause);
  if (found === null) return true;
  const [, operator = '==', major, second, third] = found;
  const at = 3 - Number(major);
  // Every operator compares with (3, minor, newest patch). Another major version is entirely above or below.
  const named = at === 0 ? Number(second ?? 0) : Number.NaN;
  switch (operator) {
    case '>=':
      return at > 0 || minor >= named;
    case '>':
      return at > 0 || (third === undefined && second !== undefined ? minor > named : minor >= named);
    case '<':
      return at < 0 || (third === undefined || third === '0' ? minor < named : minor <= named);
    case '<=':
      return at < 0 || (third === undefined ? minor < named || second === undefined : minor <= named);
    case '!=':
      return third !== undefined || minor !== named;
    case '^':
      return at === 0 && minor >= named;
    case '~=':
      return at === 0 && (third === undefined ? minor >= named : minor === named);
    case '~':
    default:
      return at === 0 && (second === undefined || minor === named);
  }
}
