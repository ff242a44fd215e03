import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { placesFrom } from './places.ts';

test('each file that is not JavaScript is where the sources read it', () => {
  const places = placesFrom(join(import.meta.dirname, '..'));
  for (const [part, path] of Object.entries<string>({ ...places }))
    expect({ part, exists: existsSync(path) }).toEqual({ part, exists: true });
});

test('a bundle has its scripts next to its entry', () =>
  expect(placesFrom('/pacegate/dist')).toMatchObject({
    probe: '/pacegate/dist/probe.py',
    profiler: '/pacegate/dist/profiler',
    variants: '/pacegate/variants',
  }));
