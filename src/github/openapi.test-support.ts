import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';

/** GitHub's own description of its API, so that the fake server cannot differ from the real one. */

interface Operation {
  readonly parameters?: readonly unknown[];
  readonly requestBody?: unknown;
  readonly responses: Readonly<Record<string, unknown>>;
}
interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: { readonly type?: string };
}
type Json = Readonly<Record<string, unknown>>;
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}
/** An operation with the values that a call gave for the names in its path. */
interface Call {
  readonly path: string;
  readonly operation: Operation;
  readonly values: ReadonlyMap<string, string>;
}
/** The errors of a value against a schema. The key names the schema, which is compiled once. */
type Problems = (key: string, schema: () => unknown, value: unknown) => readonly string[];

const SAMPLE_TEXTS: Readonly<Record<string, string>> = {
  uri: 'https://api.github.com/x',
  'date-time': '2026-01-01T00:00:00Z',
  email: 'octocat@example.org',
};

export interface Description {
  /** The errors in a request; empty if GitHub's description allows it. */
  checkRequest(method: string, url: URL, body: unknown): readonly string[];
  /** The errors in an answer to it. */
  checkAnswer(method: string, url: URL, status: number, body: unknown): readonly string[];
  /** The smallest answer that the description allows, so that a fake contains only relevant values. */
  sampleAnswer(method: string, url: URL, status: number): Json;
  /** The same for one entry of a list in an answer. */
  sampleEntry(method: string, url: URL, status: number): Json;
}

export function readDescription(): Description {
  const file = 'node_modules/@octokit/openapi/generated/api.github.com.json';
  const document = JSON.parse(readFileSync(file, 'utf8')) as Document;
  const problems = validator(document);
  return {
    sampleAnswer: (...call) => sampleAnswer(document, ...call),
    sampleEntry: (...call) => sampleEntry(document, ...call),
    checkRequest: (...call) => requestProblems(document, problems, ...call),
    checkAnswer: (...call) => answerProblems(document, problems, ...call),
  };
}

/** What a reference in the document refers to. */
const target = (document: Document, reference: string): Json =>
  reference
    .slice(2)
    .split('/')
    .reduce<unknown>((node, step) => (node as Json)[step], document) as Json;

/** Resolves references, and converts OpenAPI 3.0's `nullable` to JSON Schema. */
function plain(document: Document, node: unknown): unknown {
  if (Array.isArray(node)) return node.map((one) => plain(document, one));
  if (typeof node !== 'object' || node === null) return node;
  const object = node as Json;
  if (typeof object['$ref'] === 'string') return plain(document, target(document, object['$ref']));
  const entries = Object.entries(object).filter(
    ([key]) => !['nullable', 'example', 'examples'].includes(key),
  );
  const schema = Object.fromEntries(entries.map(([key, value]) => [key, plain(document, value)]));
  return object['nullable'] === true ? { anyOf: [schema, { type: 'null' }] } : schema;
}

function validator(document: Document): Problems {
  const ajv = new Ajv({ strict: false, allErrors: true, coerceTypes: false });
  // CommonJS in NodeNext: the function is the module's default.
  (addFormats as unknown as typeof addFormats.default)(ajv);
  const compiled = new Map<string, ValidateFunction>();
  return (key, schema, value) => {
    const validate = compiled.get(key) ?? ajv.compile(plain(document, schema()) as object);
    compiled.set(key, validate);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message }) => `${key}${instancePath}: ${message ?? ''}`,
    );
  };
}

function find({ paths }: Document, method: string, pathname: string): Call | undefined {
  for (const [path, operations] of Object.entries(paths)) {
    const names = [...path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1] ?? '');
    const match = new RegExp(`^${path.replace(/\{[^}]+\}/g, '([^/]+)')}$`).exec(pathname);
    const operation = operations[method.toLowerCase()];
    if (match !== null && operation !== undefined)
      return {
        path,
        operation,
        values: new Map(names.map((name, index) => [name, match[index + 1] ?? ''])),
      };
  }
  return undefined;
}

function jsonSchema(document: Document, holder: unknown): unknown {
  const { content } = plain(document, holder) as { content?: Record<string, { schema?: unknown }> };
  return content?.['application/json']?.schema;
}

function requestProblems(
  document: Document,
  problems: Problems,
  method: string,
  url: URL,
  body: unknown,
): readonly string[] {
  const found = find(document, method, url.pathname);
  if (found === undefined) return [`${method} ${url.pathname} is no call of GitHub's`];
  const { requestBody } = found.operation;
  const key = `${method} ${found.path}`;
  return [
    ...parameterProblems(document, problems, key, found, url),
    ...(requestBody === undefined
      ? []
      : problems(`${key} body`, () => jsonSchema(document, requestBody), body)),
  ];
}

function parameterProblems(
  document: Document,
  problems: Problems,
  key: string,
  { operation, values }: Call,
  { searchParams }: URL,
): readonly string[] {
  const parameters = plain(document, operation.parameters ?? []) as readonly Parameter[];
  const known = parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
  const unknown = [...searchParams.keys()].filter((name) => !known.includes(name));
  return [
    ...unknown.map((name) => `${key}: the query parameter ${name} is not known`),
    ...parameters.flatMap(({ name, in: place, required, schema }) => {
      const value = place === 'path' ? values.get(name) : (searchParams.get(name) ?? undefined);
      if (value === undefined) return required === true ? [`${key}: ${name} is missing`] : [];
      const typed = schema.type === 'integer' ? Number(value) : value;
      return problems(`${key} ${name}`, () => schema, typed);
    }),
  ];
}

function answerProblems(
  document: Document,
  problems: Problems,
  method: string,
  url: URL,
  status: number,
  body: unknown,
): readonly string[] {
  const found = find(document, method, url.pathname);
  const answer = found?.operation.responses[String(status)];
  const schema = answer === undefined ? undefined : jsonSchema(document, answer);
  // The description has all bodies of successes, but not of all errors.
  if (found === undefined || schema === undefined)
    return status < 300 ? [`${method} ${url.pathname} has no answer ${status}`] : [];
  return problems(`${method} ${found.path} ${status}`, () => schema, body);
}

function sampleAnswer(document: Document, method: string, url: URL, status: number): Json {
  const found = find(document, method, url.pathname);
  const answer = found?.operation.responses[String(status)];
  if (answer === undefined) throw new Error(`${method} ${url.pathname} has no answer ${status}`);
  const { $ref } = answer as { readonly $ref?: string };
  const holder = ($ref === undefined ? answer : target(document, $ref)) as {
    readonly content?: Readonly<Record<string, { readonly schema?: unknown }>>;
  };
  return sample(document, holder.content?.['application/json']?.schema ?? {}) as Json;
}

function sampleEntry(document: Document, method: string, url: URL, status: number): Json {
  const answer = sampleAnswer(document, method, url, status);
  const list = Array.isArray(answer) ? answer : Object.values(answer).find((value) => Array.isArray(value));
  const [entry] = (list ?? []) as readonly Json[];
  if (entry === undefined) throw new Error(`${method} ${url.pathname} answers no list`);
  return entry;
}

/** The smallest value of a schema. Resolves step by step, because a schema may contain itself. */
function sample(document: Document, node: unknown, depth = 0): unknown {
  const schema = node as Json;
  if (typeof schema['$ref'] === 'string') return sample(document, target(document, schema['$ref']), depth);
  if (schema['nullable'] === true) return null;
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  const all = schema['allOf'] as readonly unknown[] | undefined;
  if (all !== undefined)
    return all.reduce((made: unknown, part) => {
      const one = sample(document, part, depth + 1);
      return typeof one === 'object' && typeof made === 'object' ? { ...made, ...one } : one;
    }, {});
  const some = (schema['anyOf'] ?? schema['oneOf']) as readonly unknown[] | undefined;
  return some === undefined ? sampleOfType(document, schema, depth) : sample(document, some[0], depth + 1);
}

function sampleOfType(document: Document, schema: Json, depth: number): unknown {
  switch (schema['type']) {
    case 'object': {
      const properties = (schema['properties'] ?? {}) as Json;
      const required = (schema['required'] ?? []) as readonly string[];
      return Object.fromEntries(
        required.map((name) => [name, sample(document, properties[name] ?? {}, depth + 1)]),
      );
    }
    case 'array':
      return depth <= 1 ? [sample(document, schema['items'], 2)] : [];
    case 'integer':
    case 'number':
      return Number(schema['minimum'] ?? 1);
    case 'boolean':
      return false;
    case 'string':
      return SAMPLE_TEXTS[String(schema['format'])] ?? 'x';
    default:
      return {};
  }
}
