import { expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { expectGenerated } from '../github/generated.test-support.ts';
import { allKeys, asYaml, reference, variantForms, type Key } from './reference.test-support.ts';
import { resolvePlan } from './resolve.ts';

/** docs/configuration.md: every key with its description, type, default and example, from the schema. */

test('docs/configuration.md has the keys of the schema; UPDATE_GOLDEN=1 writes them', () => {
  expectGenerated('docs/configuration.md', 'keys', reference());
});

const named = allKeys().map((key) => [`${key.path} ${key.of.join(', ')}`.trim(), key] as const);

test.each(named)('%s has a description, and examples that its schema accepts', (_, { name, schema }) => {
  expect(schema.description).toMatch(/^[A-Z].*\.$/s);
  expect(schema.examples?.length).toBeGreaterThan(0);
  const validate = new Ajv2020({ strict: false }).compile(schema);
  for (const example of schema.examples ?? []) {
    // As a reader copies it.
    const { [name]: copied } = parse(asYaml(name, example)) as Record<string, unknown>;
    expect(copied).toEqual(example);
    expect([example, validate(copied)]).toEqual([example, true]);
  }
});

/** Keys whose default is another program's: writing it down passes it on, which is the same build. */
const PASSED_ON = ['variants.*.channel', 'rules.changed-measurement'];

const withDefaults = named.filter(
  ([, { schema, path }]) => schema.default !== undefined && !PASSED_ON.includes(path),
);

test.each(withDefaults)('the default of %s is the one that applies', (_, key) => {
  const [without, withIt] = [configurationFor(key, false), configurationFor(key, true)];
  expect(planOf(withIt)).toEqual(planOf(without));
});

const planOf = (value: unknown) =>
  resolvePlan({ text: JSON.stringify(value), file: 'pacegate.yml', root: '/project' });

/** A configuration in which the key may stand, with it or without. */
function configurationFor({ path, name, schema, of }: Key, withIt: boolean): unknown {
  const own = withIt ? { [name]: schema.default } : {};
  const [section, inner] = path.split('.');
  const form = variantForms().find(({ selector }) => selector === of[0])?.schema;
  // What a form requires, from its examples.
  const required = (form?.required ?? ['interpreter']).map((key) => {
    const { const: fixed, examples } = form?.properties?.[key] ?? { const: 'debian' };
    return [key, fixed ?? examples?.[0]] as const;
  });
  const server = { ready: 8000, load: ['python', 'load.py'] };
  return {
    version: 1,
    workload: {
      command: ['python', 'bench.py'],
      ...(section === 'workload' && inner !== 'server' && inner !== 'install' ? own : {}),
      ...(inner === 'install' ? { install: own } : {}),
      ...(inner === 'server' ? { server: { ...server, ...own } } : {}),
    },
    variants: { a: { ...Object.fromEntries(required), ...(section === 'variants' ? own : {}) } },
    ...(section === 'metrics' ? { metrics: { tasks: own } } : {}),
    ...(section === 'rules' || section === 'build' || section === 'trust' ? { [section]: own } : {}),
  };
}
