import { expect, jest } from '@jest/globals';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { withEngine } from '../process/engine.test-support.ts';
import { builderOf, folderWith, never, official, ready } from './images.test-support.ts';

jest.setTimeout(600_000);

/** Installs what it copies, by pip and without an index: a new file of any kind runs every step again. */
const Dockerfile = `FROM python:3.13-slim AS builder
COPY . /src
RUN python -m venv --without-pip /opt/venv && mkdir /app \\
 && cp /src/*.py /src/run.sh /app/ && touch /app/*.py \\
 && cp /src/library.py "$(/opt/venv/bin/python -c 'import site; print(site.getsitepackages()[0])')" \\
 && /opt/venv/bin/python -m compileall -q /opt/venv /app
FROM python:3.13-slim
COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /app /app
WORKDIR /app
`;
const files = {
  Dockerfile,
  'app.py': 'import library\n',
  'library.py': 'VALUE = 1\n',
  'run.sh': 'exec python app.py\n',
  'README.md': 'one\n',
};

withEngine(
  'two builds of one code hold the same; a line, a mode and a setting make a difference',
  async () => {
    const { builder, prepare } = builderOf({ dockerfile: 'Dockerfile' });
    const baseline = ready(await prepare(official, 'baseline', await folderWith(files)));
    const head = async (change: Readonly<Record<string, string>>, mode = 0o644) => {
      const tree = await folderWith({ ...files, ...change });
      await chmod(join(tree, 'run.sh'), mode);
      const built = ready(await prepare(official, 'head', tree));
      return { same: await builder.haveSameContent([baseline, built], never), built };
    };

    const prose = await head({ 'README.md': 'two\n' });
    // The steps ran again, and their layers have other times.
    expect(prose.built.image.identity).not.toBe(baseline.image.identity);
    expect(prose.built.image.layers).not.toEqual(baseline.image.layers);
    expect(prose.same).toBe(true);

    // As many bytes as before: the sizes of the layers do not tell.
    expect((await head({ 'library.py': 'VALUE = 2\n' })).same).toBe(false);
    expect((await head({ 'README.md': 'three\n' }, 0o755)).same).toBe(false);
    expect((await head({ Dockerfile: `${Dockerfile}ENV MODE=fast\n`, 'README.md': 'four\n' })).same).toBe(
      false,
    );
  },
);
