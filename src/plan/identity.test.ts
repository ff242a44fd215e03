import { expect, test } from '@jest/globals';
import { formerIdentityOf, IDENTITY, identityOf } from './identity.ts';

test.each([
  ['.github/pacegate.yml', 'pacegate'],
  ['.github/nightly.yml', 'nightly'],
  ['services/orders/pacegate.yml', 'services-orders-pacegate-d6614b43'],
  ['services/billing/pacegate.yml', 'services-billing-pacegate-34c2f59c'],
  ['pacegate.yml', 'pacegate-6d4bfd0b'],
  ['../outside.yml', 'outside-cbe1f985'],
])('%s is known as %s', (file, name) => expect(identityOf(file)).toBe(name));

test('no two files of a repository share an identity, and each is legal everywhere', () => {
  const files = [
    '.github/pacegate.yml',
    '.github/pacegate.yaml',
    '.github/pacegate.json',
    '.github/Pacegate.yml',
    '.github/.yml',
    'pacegate.yml',
    'services/orders/pacegate.yml',
    'services/billing/pacegate.yml',
    'services-orders/pacegate.yml',
    'services/orders-pacegate.yml',
    'Services/Orders/pacegate.yml',
    'services/orders/.pacegate.yml',
    'dienste/äöü/pacegate.yml',
    'dienste/éèê/pacegate.yml',
    `${'a/'.repeat(80)}pacegate.yml`,
    `b/${'a/'.repeat(80)}pacegate.yml`,
    '..yml',
    '.github/a/b.yml',
  ];
  const names = files.map(identityOf);
  expect(new Set(names).size).toBe(files.length);
  for (const name of names) expect(name).toMatch(IDENTITY);
});

test.each([
  ['services/orders/pacegate.yml', 'pacegate'],
  ['bench/API gate.yaml', 'api-gate'],
  ['..yml', 'pacegate'],
])('%s was known as %s', (file, name) => expect(formerIdentityOf(file)).toBe(name));
