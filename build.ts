/**
 * Builds dist/: the action's and the terminal's entries with their chunks, the Python scripts, the JSON Schemas and
 * the licences of everything bundled. The same sources give the same bytes: `.ci/run` builds and compares.
 */
import { chmodSync, copyFileSync, cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import licensePlugin, { type Dependency } from 'rollup-plugin-license';
import { z } from 'zod';
import { configurationJsonSchema } from './src/plan/configuration.ts';
import { mergedSchema } from './src/session/merged.ts';
import { sessionSchema } from './src/session/session.ts';

// The package is CommonJS and its types describe its ESM build.
const license = licensePlugin as unknown as typeof licensePlugin.default;

const out = join(import.meta.dirname, 'dist');
const writeJson = (name: string, value: unknown) =>
  writeFileSync(join(out, name), `${JSON.stringify(value, null, 2)}\n`);

/** Each licence text once, below the packages that come under it: many packages share one to the letter. */
function licensesText(dependencies: readonly Dependency[]): string {
  const packages = new Map<string, string[]>();
  for (const { name, version, license: spdx, licenseText, noticeText } of dependencies) {
    const text = [licenseText, noticeText].filter(Boolean).join('\n\n').trim();
    const named = `${name ?? ''} ${version ?? ''} (${spdx ?? 'no licence named'})`;
    packages.set(text, [...(packages.get(text) ?? []), named]);
  }
  const rule = '-'.repeat(100);
  return [...packages]
    .map(
      ([text, names]) =>
        `${[...names].sort().join('\n')}\n\n${text === '' ? 'The package carries no text of its licence.' : text}\n`,
    )
    .sort()
    .join(`\n${rule}\n\n`);
}

rmSync(out, { recursive: true, force: true });

const bundle = await rolldown({
  input: { index: 'src/index.ts', cli: 'src/cli.ts' },
  platform: 'node',
  // @actions/core imports its OpenID client, and with it all of undici, of which Pacegate uses nothing at its start:
  // these packages do not say themselves that importing them has no effects.
  treeshake: {
    moduleSideEffects: [
      { test: /node_modules\/(undici|tunnel|@actions\/(http-client|core))\//, sideEffects: false },
    ],
  },
  plugins: [
    license({
      thirdParty: {
        multipleVersions: true,
        output: { file: join(out, 'licenses.txt'), encoding: 'utf-8', template: licensesText },
      },
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
for (const script of ['probe.py', 'serve.py', 'diagnostics.py', 'facts.py'])
  copyFileSync(join('src/measure/probe', script), join(out, script));
cpSync('src/measure/probe/profiler', join(out, 'profiler'), {
  recursive: true,
  filter: (path) => !path.includes('__pycache__'),
});
writeJson('configuration.schema.json', configurationJsonSchema());
writeJson('session.schema.json', z.toJSONSchema(sessionSchema));
writeJson('merged.schema.json', z.toJSONSchema(mergedSchema));
