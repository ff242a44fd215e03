import { expect, test } from '@jest/globals';
import { notesOf, released } from './changelog.ts';

const CHANGELOG = `# Changelog

All notable changes.

## Unreleased

### Added

- Add a thing.

## 1.10.0 - 2026-02-01

- Ten.

## 1.1.0 - 2026-01-01

### Fixed

- Fix a thing.
`;

test.each([
  ['Unreleased', '### Added\n\n- Add a thing.\n'],
  ['1.10.0', '- Ten.\n'],
  ['1.1.0', '### Fixed\n\n- Fix a thing.\n'],
  ['1.1', undefined],
  ['2.0.0', undefined],
])('the notes of %s are its own section', (version, notes) =>
  expect(notesOf(CHANGELOG, version)).toBe(notes),
);

test('an empty section has no notes', () =>
  expect(notesOf('## 1.0.0 - 2026-01-01\n\n## 0.1.0\n\n- x\n', '1.0.0')).toBeUndefined());

test('released moves the unreleased lines to the version and keeps an empty section for new ones', () => {
  const dated = released(CHANGELOG, '1.11.0', '2026-03-01');
  expect(notesOf(dated, '1.11.0')).toBe('### Added\n\n- Add a thing.\n');
  expect(notesOf(dated, 'Unreleased')).toBeUndefined();
  expect(dated).toContain('## Unreleased\n\n## 1.11.0 - 2026-03-01\n\n### Added\n');
  expect(notesOf(dated, '1.10.0')).toBe('- Ten.\n');
});

test('released refuses a version that has a section, and a release without changes', () => {
  expect(() => released(CHANGELOG, '1.1.0', '2026-03-01')).toThrow('has a section 1.1.0 already');
  const dated = released(CHANGELOG, '1.11.0', '2026-03-01');
  expect(() => released(dated, '1.12.0', '2026-03-02')).toThrow('1.12.0 would be a release without notes');
});
