import { expect, test } from '@jest/globals';
import { facts } from '../session/facts.test-support.ts';
import { factsJson, renderFactsMarkdown, renderFactsTerminal, type AskedInterpreter } from './facts-table.ts';

const image: AskedInterpreter = {
  target: 'python:3.13',
  kind: 'image',
  facts: facts({
    properties: { pgo: { declared: 'yes', observed: 'yes' }, lto: { declared: 'yes', observed: 'unknown' } },
    brokenModules: { _tkinter: 'ImportError' },
    libraries: { zlib: '1.3.1' },
  }),
  image: {
    id: 'sha256:1',
    digest: 'python@sha256:2',
    sizeBytes: 3 * 1024 ** 2,
    layers: [{ digest: 'sha256:3', bytes: 2 * 1024 ** 2 }, { bytes: 1024 ** 2 }],
    base: { reference: 'debian:trixie', digest: 'sha256:4' },
  },
};
const host: AskedInterpreter = {
  target: '/usr/bin/python3',
  kind: 'host',
  facts: facts({ python: '3.11.2', properties: { pgo: { declared: 'unknown', observed: 'yes' } } }),
};

test('as JSON, one entry each, with the layers of an image', () => {
  expect(factsJson([image, host])).toEqual([
    expect.objectContaining({
      target: 'python:3.13',
      kind: 'image',
      python: '3.13.5',
      layers: image.image?.layers,
      properties: image.facts.properties,
      image: image.image,
    }),
    expect.not.objectContaining({ image: expect.anything() }),
  ]);
});

test('as Markdown, a column each, with a mark where they differ', () => {
  const text = renderFactsMarkdown([image, host]);
  expect(text).toContain('| ≠ | Python | CPython 3.13.5 | CPython 3.11.2 |');
  expect(text).toContain('| | PGO | yes | yes |');
  expect(text).toContain('| ≠ | LTO | unknown (declared: yes) | – |');
  expect(text).toContain('| ≠ | modules that do not import | 1: \\_tkinter | none |');
  expect(text).toContain('| ≠ | layers | 2.000 MiB + 1.000 MiB | – |');
});

test('on a terminal, next to each other if they fit, otherwise one below the other', () => {
  const heads = (width: number) =>
    renderFactsTerminal([image, host, { ...host, target: 'third' }], width)
      .split('\n')
      .filter((line) => /python:3\.13$|\/usr\/bin\/python3$|third$|third/.test(line) && !line.startsWith('≠'))
      .map((line) => line.trim().split(/\s+/));
  expect(heads(200)).toEqual([['python:3.13', '/usr/bin/python3', 'third']]);
  expect(heads(100)).toEqual([['python:3.13', '/usr/bin/python3'], ['third']]);
  expect(heads(40)).toEqual([['python:3.13'], ['/usr/bin/python3'], ['third']]);
  expect(renderFactsTerminal([host], 80)).toMatch(/^ +\/usr\/bin\/python3\ntaken as +host interpreter\n/);
});

test('the facts of an image cannot break out of their line', () => {
  const hostile = { ...image, facts: facts({ system: 'a\nb\u001b[31m|<img>' }) };
  expect(renderFactsTerminal([hostile], 200)).toContain('a b|<img>');
  expect(renderFactsMarkdown([hostile])).not.toContain('<img>');
});
