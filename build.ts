/**
 * Builds dist/: the action's and the terminal's entries with their chunks, the probe, the JSON Schemas and
 * the licences of everything bundled. The same sources give the same bytes: `.ci/run` builds and compares.
 */
import { chmodSync, copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import licensePlugin from 'rollup-plugin-license';
import { z } from 'zod';
import { configurationJsonSchema } from './src/plan/configuration.ts';
import { sessionSchema } from './src/session/session.ts';

// The package is CommonJS and its types describe its ESM build.
const license = licensePlugin as unknown as typeof licensePlugin.default;

const out = join(import.meta.dirname, 'dist');
const writeJson = (name: string, value: unknown) =>
  writeFileSync(join(out, name), `${JSON.stringify(value, null, 2)}\n`);

rmSync(out, { recursive: true, force: true });

const bundle = await rolldown({
  input: { index: 'src/index.ts', cli: 'src/cli.ts' },
  platform: 'node',
  plugins: [
    license({
      thirdParty: { multipleVersions: true, output: { file: join(out, 'licenses.txt'), encoding: 'utf-8' } },
    }),
  ],
});
await bundle.write({
  dir: out,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name]-[hash].js',
  comments: false,
  // Smaller to read at start, and still names that a stack trace can be followed by.
  minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
});
await bundle.close();

chmodSync(join(out, 'cli.js'), 0o755);
copyFileSync('src/measure/probe.py', join(out, 'probe.py'));
writeJson('configuration.schema.json', configurationJsonSchema());
writeJson('session.schema.json', z.toJSONSchema(sessionSchema));
