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
  const document = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  };
  const ajv = new Ajv({ strict: false, allErrors: true, coerceTypes: false });
  // CommonJS in NodeNext: the function is the module's default.
  (addFormats as unknown as typeof addFormats.default)(ajv);
  const compiled = new Map<string, ValidateFunction>();

  const target = (reference: string): Json =>
    reference
      .slice(2)
      .split('/')
      .reduce<unknown>((node, step) => (node as Json)[step], document) as Json;
  /** Resolves references, and converts OpenAPI 3.0's `nullable` to JSON Schema. */
  const plain = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(plain);
    if (typeof node !== 'object' || node === null) return node;
    const object = node as Json;
    if (typeof object['$ref'] === 'string') return plain(target(object['$ref']));
    const entries = Object.entries(object).filter(
      ([key]) => !['nullable', 'example', 'examples'].includes(key),
    );
    const schema = Object.fromEntries(entries.map(([key, value]) => [key, plain(value)]));
    return object['nullable'] === true ? { anyOf: [schema, { type: 'null' }] } : schema;
  };
  const problems = (key: string, schema: () => unknown, value: unknown): readonly string[] => {
    const validate = compiled.get(key) ?? ajv.compile(plain(schema()) as object);
    compiled.set(key, validate);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message }) => `${key}${instancePath}: ${message ?? ''}`,
    );
  };
  const find = (method: string, pathname: string) => {
    for (const [path, operations] of Object.entries(document.paths)) {
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
  };
  const jsonSchema = (holder: unknown): unknown => {
    const { content } = plain(holder) as { content?: Record<string, { schema?: unknown }> };
    return content?.['application/json']?.schema;
  };

  /** Resolves step by step, because a schema may contain itself. */
  const sample = (node: unknown, depth = 0): unknown => {
    const schema = node as Json;
    if (typeof schema['$ref'] === 'string') return sample(target(schema['$ref']), depth);
    if (schema['nullable'] === true) return null;
    if (Array.isArray(schema['enum'])) return schema['enum'][0];
    const all = schema['allOf'] as readonly unknown[] | undefined;
    if (all !== undefined)
      return all.reduce((made: unknown, part) => {
        const one = sample(part, depth + 1);
        return typeof one === 'object' && typeof made === 'object' ? { ...made, ...one } : one;
      }, {});
    const some = (schema['anyOf'] ?? schema['oneOf']) as readonly unknown[] | undefined;
    if (some !== undefined) return sample(some[0], depth + 1);
    switch (schema['type']) {
      case 'object': {
        const properties = (schema['properties'] ?? {}) as Json;
        const required = (schema['required'] ?? []) as readonly string[];
        return Object.fromEntries(required.map((name) => [name, sample(properties[name] ?? {}, depth + 1)]));
      }
      case 'array':
        return depth <= 1 ? [sample(schema['items'], 2)] : [];
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
  };

  const sampleAnswer = (method: string, url: URL, status: number): Json => {
    const found = find(method, url.pathname);
    const answer = found?.operation.responses[String(status)];
    if (answer === undefined) throw new Error(`${method} ${url.pathname} has no answer ${status}`);
    const { $ref } = answer as { readonly $ref?: string };
    const holder = ($ref === undefined ? answer : target($ref)) as {
      readonly content?: Readonly<Record<string, { readonly schema?: unknown }>>;
    };
    return sample(holder.content?.['application/json']?.schema ?? {}) as Json;
  };

  return {
    sampleAnswer,
    sampleEntry: (method, url, status) => {
      const answer = sampleAnswer(method, url, status);
      const list = Array.isArray(answer)
        ? answer
        : Object.values(answer).find((value) => Array.isArray(value));
      const [entry] = (list ?? []) as readonly Json[];
      if (entry === undefined) throw new Error(`${method} ${url.pathname} answers no list`);
      return entry;
    },
    checkRequest: (method, url, body) => {
      const found = find(method, url.pathname);
      if (found === undefined) return [`${method} ${url.pathname} is no call of GitHub's`];
      const key = `${method} ${found.path}`;
      const parameters = (plain(found.operation.parameters ?? []) as Parameter[]).map((parameter) => ({
        ...parameter,
        value:
          parameter.in === 'path'
            ? found.values.get(parameter.name)
            : (url.searchParams.get(parameter.name) ?? undefined),
      }));
      const known = parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
      return [
        ...[...url.searchParams.keys()]
          .filter((name) => !known.includes(name))
          .map((name) => `${key}: the query parameter ${name} is not known`),
        ...parameters.flatMap(({ name, required, schema, value }) => {
          if (value === undefined) return required === true ? [`${key}: ${name} is missing`] : [];
          const typed = schema.type === 'integer' ? Number(value) : value;
          return problems(`${key} ${name}`, () => schema, typed);
        }),
        ...(found.operation.requestBody === undefined
          ? []
          : problems(`${key} body`, () => jsonSchema(found.operation.requestBody), body)),
      ];
    },
    checkAnswer: (method, url, status, body) => {
      const found = find(method, url.pathname);
      const answer = found?.operation.responses[String(status)];
      const schema = answer === undefined ? undefined : jsonSchema(answer);
      // The description has all bodies of successes, but not of all errors.
      if (found === undefined || schema === undefined)
        return status < 300 ? [`${method} ${url.pathname} has no answer ${status}`] : [];
      return problems(`${method} ${found.path} ${status}`, () => schema, body);
    },
  };
}
