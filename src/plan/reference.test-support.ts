import { markdownTable } from 'markdown-table';
import { stringify } from 'yaml';
import { wrapped } from '../session/wrapped.test-support.ts';
import { configurationJsonSchema } from './configuration.ts';
import { BYTE_SIZE, DURATION, FRACTION } from './quantities.ts';

/** The keys of the configuration, from its JSON Schema, and the text of docs/configuration.md that lists them. */

export interface SchemaNode {
  readonly type?: string;
  readonly const?: string | number;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly anyOf?: readonly SchemaNode[];
  readonly items?: SchemaNode;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | false;
  readonly required?: readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
}

/** A key that holds a value. */
export interface Key {
  /** `workload.server.ready`, `variants.*.python`, `metrics.*.limit`. */
  readonly path: string;
  readonly name: string;
  readonly schema: SchemaNode;
  readonly required: boolean;
  /** For a key of a variant: the ways to put Python into an image that have it, as they are written. */
  readonly of: readonly string[];
}

interface Section {
  readonly path: string;
  readonly description: string;
  readonly keys: readonly Key[];
}

export const schema = configurationJsonSchema() as SchemaNode;

const property = (node: SchemaNode, name: string): SchemaNode => {
  const found = node.properties?.[name];
  if (found === undefined) throw new Error(`the schema has no ${name}`);
  return found;
};

const describedAs = ({ description }: SchemaNode, path: string): string => {
  if (description === undefined) throw new Error(`${path} has no description in src/plan/configuration.ts`);
  return description;
};

function keysOf(node: SchemaNode, path: string): Key[] {
  return Object.entries(node.properties ?? {}).map(([name, own]) => ({
    path: path === '' ? name : `${path}.${name}`,
    name,
    schema: own,
    required: node.required?.includes(name) ?? false,
    of: [],
  }));
}

/** A table of fixed keys, which is a section of its own. */
const isTable = ({ properties }: SchemaNode) => properties !== undefined;

function section(path: string, node: SchemaNode, inner = node): Section[] {
  const keys = keysOf(inner, path);
  return [
    {
      path,
      description: describedAs(node, path),
      keys: keys.filter((key) => !isTable(key.schema)),
    },
    ...keys.flatMap((key) => (isTable(key.schema) ? section(key.path, key.schema) : [])),
  ];
}

/** What the values of a table with free keys may be. */
const valuesOf = ({ additionalProperties }: SchemaNode): readonly SchemaNode[] =>
  additionalProperties === undefined || additionalProperties === false
    ? []
    : (additionalProperties.anyOf ?? [additionalProperties]);

/** The forms of a variant, each with the word that selects it. */
export function variantForms(): readonly { readonly selector: string; readonly schema: SchemaNode }[] {
  const forms = valuesOf(property(schema, 'variants'));
  return forms.map((form) => {
    const interpreter = form.properties?.['interpreter'];
    const selector =
      interpreter === undefined
        ? (form.required?.find((name) => name === 'image' || name === 'bake') ?? '')
        : `interpreter: ${String(interpreter.const)}`;
    return { selector, schema: form };
  });
}

/** Keys of variants, each once for every description that it has. */
function variantKeys(): Key[] {
  const keys = new Map<string, Key>();
  for (const { selector, schema: form } of variantForms())
    for (const key of keysOf(form, 'variants.*')) {
      if (key.name === 'interpreter') continue;
      const id = JSON.stringify([key.name, key.schema.description, key.required]);
      const known = keys.get(id);
      keys.set(id, { ...key, of: [...(known?.of ?? []), selector] });
    }
  const order = ['python', 'image', 'baseline', 'bake', 'file', 'debian', 'alpine', 'distribution', 'base'];
  const rank = ({ name }: Key) => (order.includes(name) ? order.indexOf(name) : order.length);
  const last = ['contexts', 'flags', 'env'];
  return [...keys.values()].sort((a, b) => rank(a) - rank(b) || last.indexOf(a.name) - last.indexOf(b.name));
}

export function sections(): readonly Section[] {
  const [metrics, variants] = [property(schema, 'metrics'), property(schema, 'variants')];
  const metric = valuesOf(metrics).find(isTable) ?? {};
  return Object.entries(schema.properties ?? {}).flatMap(([name, node]) => {
    if (name === 'variants')
      return [{ path: name, description: describedAs(variants, name), keys: variantKeys() }];
    if (name === 'metrics')
      return [{ path: name, description: describedAs(metrics, name), keys: keysOf(metric, 'metrics.*') }];
    return isTable(node) ? section(name, node) : [];
  });
}

/** Keys that stand at the top of the file. */
export const topKeys = (): readonly Key[] =>
  keysOf(schema, '').filter(
    (key) => !isTable(key.schema) && key.name !== 'variants' && key.name !== 'metrics',
  );

export const allKeys = (): readonly Key[] => [...topKeys(), ...sections().flatMap(({ keys }) => keys)];

const PATTERNS: Readonly<Record<string, string>> = {
  [DURATION.source]: 'duration (`90s`, `10m`, `1h30m`)',
  [FRACTION.source]: 'percentage (`3%`)',
  [BYTE_SIZE.source]: 'size (`512m`, `2g`)',
};

function typeOf({ type, items, anyOf, pattern, ...node }: SchemaNode): string {
  if (node.const !== undefined) return `\`${String(node.const)}\``;
  if (node.enum !== undefined) return `one of ${node.enum.map((word) => `\`${word}\``).join(', ')}`;
  if (anyOf !== undefined) return anyOf.map(typeOf).join(' or ');
  if (items !== undefined)
    return items.enum === undefined ? 'list of strings' : `list of ${typeOf(items).slice('one of '.length)}`;
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = node;
  switch (type) {
    case 'integer':
      return `whole number, ${String(minimum)} to ${String(maximum)}`;
    case 'number':
      if (minimum === undefined && exclusiveMinimum === undefined) return 'number';
      return exclusiveMinimum === undefined
        ? `number, ${String(minimum)} to below ${String(exclusiveMaximum)}`
        : `number between ${exclusiveMinimum} and ${String(exclusiveMaximum)}`;
    case 'object':
      return 'table of strings';
    case 'boolean':
      return '`true` or `false`';
    default:
      return PATTERNS[pattern ?? ''] ?? 'string';
  }
}

/** `name: value` as it stands in the file. */
export const asYaml = (name: string, value: unknown): string =>
  stringify(
    { [name]: value },
    { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0, singleQuote: true },
  )
    .trim()
    .replace(/^\{([^]*)\}$/, '$1');

const valueOf = (value: unknown) => asYaml('x', value).slice('x: '.length);

/** Where a page says more. */
const MORE: Readonly<Record<string, string>> = {
  name: '[several configurations](github.md#several-configurations)',
  'workload.dockerfile': '[your application](workloads.md#put-your-application-into-the-images)',
  'workload.command': '[workloads](workloads.md)',
  'workload.instructions': '[count instructions](workloads.md#count-instructions)',
  'workload.profiler': '[why](why.md)',
  'workload.server': '[measure a server](workloads.md#measure-a-server)',
  variants: '[interpreters](interpreters.md)',
  'variants.*.march': '[compile for one processor](interpreters.md#compile-for-one-processor)',
  metrics: '[metrics](metrics.md), [patterns](workloads.md#patterns)',
  'metrics.*.warn': '[`warning`](verdicts.md#warning)',
  'metrics.*.formula': '[formula metrics](workloads.md#formula-metrics)',
  rules: '[method](method.md)',
  'rules.profile': '[paired evidence](method.md#paired-evidence)',
  'rules.budget': '[the budget](method.md#the-budget)',
  'rules.evidence': '[stored evidence](method.md#stored-evidence)',
  'rules.fail-on': '[verdicts](verdicts.md)',
  'rules.changed-measurement': '[changes to what measures](github.md#changes-to-what-measures)',
  'rules.anchor': '[find creep](nightly.md#find-creep-with-an-anchor)',
  'build.cache-from': '[cache layers](github.md#cache-layers)',
  'build.registry': '[keep images in a registry](github.md#keep-images-in-a-registry)',
  'build.secrets': '[whose rules apply](github.md#whose-rules-apply)',
  'trust.branches': '[whose rules apply](github.md#whose-rules-apply)',
};
const moreOf = (path: string) => (MORE[path] === undefined ? '' : ` More: ${MORE[path]}.`);

function fact(key: Key): string {
  const { schema: own, name, required } = key;
  const examples = (own.examples ?? []).map((example) => `\`${asYaml(name, example)}\``);
  return [
    `**Type** ${typeOf(own)}`,
    ...(required ? ['**Required**'] : []),
    ...(own.default === undefined ? [] : [`**Default** \`${valueOf(own.default)}\``]),
    `**Example** ${examples.join(', ')}`,
  ].join(' · ');
}

const INTERPRETER = 'interpreter: ';
const listed = (words: readonly string[]) => {
  const quoted = words.map((word) => `\`${word}\``);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} and ${quoted.at(-1) ?? ''}`;
};

/** Which variants have a key; empty where all have it, or where it is what selects the form. */
function onlyWith({ of, name }: Key): string {
  const all = variantForms().map(({ selector }) => selector);
  if (of.length === 0 || of.length === all.length || of[0] === name) return '';
  const interpreters = (selectors: readonly string[]) =>
    selectors.filter((word) => word.startsWith(INTERPRETER)).map((word) => word.slice(INTERPRETER.length));
  const [having, lacking] = [interpreters(of), interpreters(all.filter((word) => !of.includes(word)))];
  if (having.length === 0) return `With ${listed(of)}: `;
  return having.length > lacking.length
    ? `With every \`interpreter\` except ${listed(lacking)}: `
    : `With \`interpreter\` ${listed(having)}: `;
}

function entry(keys: readonly Key[]): string {
  const [{ path }] = keys as [Key];
  const parts = keys.map((key) => {
    const words = `${onlyWith(key)}${describedAs(key.schema, path)}${moreOf(path)}`;
    return `${wrapped(words)}\n\n${wrapped(fact(key))}`;
  });
  return `### \`${path}\`\n\n${parts.join('\n\n')}`;
}

/** Entries of the same key under one heading. */
const entries = (keys: readonly Key[]) =>
  [...new Set(keys.map(({ path }) => path))]
    .map((path) => entry(keys.filter((key) => key.path === path)))
    .join('\n\n');

function interpreters(): string {
  const rows = variantForms().map(({ selector, schema: form }) => {
    const selected = form.properties?.['interpreter'] ?? property(form, selector);
    const own = Object.keys(form.properties ?? {}).filter(
      (name) => !['interpreter', selector, 'flags', 'env'].includes(name),
    );
    const words = own.map((name) => (form.required?.includes(name) ? `**\`${name}\`**` : `\`${name}\``));
    return [`\`${selector}\``, describedAs(selected, selector), words.join(', ')];
  });
  return markdownTable([['form', 'what', 'keys; required ones in bold'], ...rows]);
}

const EVERY_FORM = 'Every form also has `flags` and `env`.';

/** The generated part of docs/configuration.md. */
export function reference(): string {
  const parts = sections().map(({ path, description, keys }) => {
    const table = path === 'variants' ? `${interpreters()}\n\n${EVERY_FORM}\n\n` : '';
    return `## \`${path}\`\n\n${wrapped(`${description}${moreOf(path)}`)}\n\n${table}${entries(keys)}`;
  });
  return [`## The top of the file\n\n${entries(topKeys())}`, ...parts].join('\n\n');
}
