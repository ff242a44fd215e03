import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { billOfMaterials, bundledPackages, type BillOfMaterials } from './bill-of-materials.ts';

const component = (name: string, version: string) => ({
  'bom-ref': `${name}@${version}`,
  name,
  version,
  scope: 'optional',
  properties: [
    { name: 'cdx:npm:package:path', value: `node_modules/${name}` },
    { name: 'cdx:npm:package:development', value: 'true' },
  ],
});

const WHOLE: BillOfMaterials = {
  metadata: { component: { 'bom-ref': 'pacegate@1.0.0', name: 'clone', version: '1.0.0' } },
  components: [
    component('a', '1.0.0'),
    component('a', '2.0.0'),
    component('@x/b', '1.0.0'),
    component('jest', '30.0.0'),
  ],
  dependencies: [
    { ref: 'pacegate@1.0.0', dependsOn: ['a@2.0.0', '@x/b@1.0.0', 'jest@30.0.0'] },
    { ref: '@x/b@1.0.0', dependsOn: ['a@2.0.0'] },
    { ref: 'jest@30.0.0', dependsOn: ['a@1.0.0'] },
    { ref: 'a@2.0.0' },
  ],
};
const rule = '-'.repeat(100);
const LICENSES = `@x/b 1.0.0 (MIT)\na 2.0.0 (Apache-2.0)\n\nCopyright\n\njest 30.0.0 (of the text)\n\n${rule}\n\nc 1.0.0 (ISC)\n\nText\n`;

test('bundledPackages reads the headings and not the text of the licences', () =>
  expect([...bundledPackages(LICENSES)]).toEqual(['@x/b 1.0.0', 'a 2.0.0', 'c 1.0.0']));

test('billOfMaterials leaves tools out and marks bundled packages as required', () => {
  const { metadata, components, dependencies } = billOfMaterials(WHOLE, new Set(['@x/b 1.0.0', 'a 2.0.0']));
  expect(metadata.component.name).toBe('pacegate');
  expect(components.map(({ 'bom-ref': ref, scope }) => [ref, scope])).toEqual([
    ['a@2.0.0', 'required'],
    ['@x/b@1.0.0', 'required'],
  ]);
  expect(components[0]?.properties).toEqual([{ name: 'cdx:npm:package:path', value: 'node_modules/a' }]);
  expect(dependencies).toEqual([
    { ref: 'pacegate@1.0.0', dependsOn: ['a@2.0.0', '@x/b@1.0.0'] },
    { ref: '@x/b@1.0.0', dependsOn: ['a@2.0.0'] },
    { ref: 'a@2.0.0', dependsOn: [] },
  ]);
});

test('billOfMaterials refuses a bundled package that is not in the lock file', () => {
  expect(() => billOfMaterials(WHOLE, new Set(['a 2.0.0', 'c 1.0.0']))).toThrow('npm does not know c 1.0.0');
  expect(() => billOfMaterials(WHOLE, new Set())).toThrow('of 0 bundled packages');
});

test('each package that dist/ bundles is in package-lock.json', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly version?: string }>>;
  };
  const locked = new Set(
    Object.entries(packages).map(
      ([path, { version = '' }]) => `${path.split('node_modules/').at(-1) ?? ''} ${version}`,
    ),
  );
  const bundled = [...bundledPackages(readFileSync('dist/licenses.txt', 'utf8'))];
  expect(bundled).toContainEqual(expect.stringMatching(/^zod \d/));
  expect(bundled.filter((name) => !locked.has(name))).toEqual([]);
});
