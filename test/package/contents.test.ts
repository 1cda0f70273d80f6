import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, inject, test } from 'vitest';
import { entries, files, manifest, text } from './support/installed.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
const bin = (name: string): string => {
  const own = JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')) as { bin: string | Record<string, string> };
  return join(ROOT, 'node_modules', name, typeof own.bin === 'string' ? own.bin : Object.values(own.bin)[0] as string);
};

describe('what is published', () => {
  test('publint has nothing to say', async () => {
    const { stdout } = await run(process.execPath, [bin('publint'), inject('tarball'), '--strict']);
    expect(stdout).toContain('All good!');
  });

  test('are the types wrong? They are not: every entry resolves for ESM and CommonJS', async () => {
    // Ends with another exit code when it finds something.
    const { stdout } = await run(process.execPath, [bin('@arethetypeswrong/cli'), inject('tarball'), '--profile', 'node16', '--no-emoji', '--no-color']);
    for (const { name } of entries) expect(stdout).toMatch(new RegExp(`"${name}" +│ OK \\(CJS\\) +│ OK \\(ESM\\)`));
  });

  test('is the build, the manifest and what there is to read; no source, no test, no configuration', () => {
    expect(files.filter((file) => !file.startsWith('dist/')).toSorted()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']);
    expect(files.filter((file) => !/^dist\/([\w-]+\.(js|cjs|d\.ts|d\.cts|js\.map|cjs\.map)|THIRD_PARTY_NOTICES\.txt)$/.test(file) && file.startsWith('dist/'))).toEqual([]);
  });

  test('every entry of the manifest is there, and every declared folder', () => {
    expect(entries.length).toBeGreaterThanOrEqual(8);
    for (const { esm, cjs, types } of entries) for (const file of [esm, cjs, types]) expect(files).toContain(file.replace('./', ''));
  });

  test('frameworks and drivers are optional peers, all of them', () => {
    expect(Object.keys(manifest.peerDependencies).filter((name) => manifest.peerDependenciesMeta[name]?.optional !== true)).toEqual([]);
  });

  test('no script runs at its user: nothing is installed by a hook', () => {
    const { scripts = {} } = JSON.parse(text('package.json')) as { scripts?: Record<string, string> };
    expect(Object.keys(scripts).filter((name) => /^(pre|post)?install$|^prepare$/.test(name))).toEqual([]);
  });

  test('is built whenever it is packed, declarations and all', () => {
    const { scripts } = JSON.parse(text('package.json')) as { scripts: Record<string, string> };
    expect(scripts['prepack']).toBe(scripts['build']);
  });

  test('names nothing of the machine it was built on', () => {
    const machine = [ROOT.replace(/\/$/, ''), homedir(), tmpdir()].filter((path) => path.length > 2 && path !== '/tmp');
    for (const file of files) for (const path of machine) expect(text(file).includes(path), `${file} names ${path}`).toBe(false);
  });
});

describe('source maps', () => {
  const maps = files.filter((file) => file.endsWith('.map'));

  test('there is one for every file of code', () => {
    expect(maps.toSorted()).toEqual(files.filter((file) => /\.c?js$/.test(file)).map((file) => `${file}.map`).toSorted());
  });

  test.each(maps)('%s: paths are relative, and the sources are in it', (map) => {
    const { sources, sourcesContent, sourceRoot = '' } = JSON.parse(text(map)) as { sources: string[]; sourcesContent: (string | null)[]; sourceRoot?: string };
    expect(sourceRoot).toBe('');
    expect(sources.length).toBeGreaterThan(0);
    expect(sources.filter((source) => !/^\.\.\/(src|node_modules)\//.test(source))).toEqual([]);
    expect(sourcesContent).toHaveLength(sources.length);
    expect(sourcesContent.every((content) => typeof content === 'string')).toBe(true);
  });
});

test('the licence of every package whose code is in the build stands beside it', () => {
  const bundled = new Set(files.filter((file) => file.endsWith('.map')).flatMap((map) => (JSON.parse(text(map)) as { sources: string[] }).sources)
    .flatMap((source) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(source)?.[1] ?? []));
  const notices = files.includes('dist/THIRD_PARTY_NOTICES.txt') ? text('dist/THIRD_PARTY_NOTICES.txt') : '';
  const noticed = [...notices.matchAll(/^(\S+) \d+\.\d+\.\d+ \(([^)]+)\)$/gm)].map(([, name, licence]) => [name, licence]);
  expect(noticed.toSorted()).toEqual([...bundled].map((name) => [name, 'MIT']).toSorted());
  for (const name of bundled) {
    const licence = ['license', 'LICENSE', 'license.md', 'LICENSE.md'].map((file) => { try { return readFileSync(join(ROOT, 'node_modules', name, file), 'utf8').trim(); } catch { return undefined; } }).find((found) => found !== undefined);
    expect(notices).toContain(licence);
  }
});
