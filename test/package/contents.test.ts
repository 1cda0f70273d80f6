import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, inject, test } from 'vitest';
import { entries, files, manifest, text } from './support/installed.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);
const bin = (name: string): string => {
  const own = JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')) as {
    bin: string | Record<string, string>;
  };
  return join(ROOT, 'node_modules', name, typeof own.bin === 'string' ? own.bin : Object.values(own.bin)[0] as string);
};

describe('the package', () => {
  test('publint has nothing to say', async () => {
    const { stdout } = await run(process.execPath, [bin('publint'), inject('tarball'), '--strict']);
    expect(stdout).toContain('All good!');
  });

  test('attw finds every entry under every resolution, that of Node 10 too', async () => {
    // attw exits with 1 if it finds a problem, and `run` then rejects.
    const { stdout } = await run(process.execPath, [bin('@arethetypeswrong/cli'), inject('tarball'), '--no-emoji', '--no-color']);
    for (const { name } of entries) expect(stdout).toMatch(new RegExp(`"${name}" +│ OK +│ OK \\(CJS\\) +│ OK \\(ESM\\)`));
  });

  test('contains the build, the manifest and documents; no source, no test, no configuration', () => {
    const others = files.filter((file) => !/^(dist\/|examples\/guides\/[\w-]+\.(md|svg|png)$)/.test(file));
    expect(others.toSorted()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']);
    expect(
      files.filter(
        (file) => !/^dist\/([\w-]+\.(js|cjs|d\.ts|d\.cts)|THIRD_PARTY_NOTICES\.txt)$/.test(file) && file.startsWith('dist/'),
      ),
    ).toEqual([]);
  });

  test('contains the files that the README links to', () => {
    const links = [...text('README.md').matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target]) => target);
    expect(links.length).toBeGreaterThan(10);
    expect(links.filter((target) => !files.includes(target as string))).toEqual([]);
  });

  test('every entry of the manifest is there, and every declared folder', () => {
    expect(entries.length).toBeGreaterThanOrEqual(8);
    for (const { esm, cjs, types } of entries)
      for (const file of [esm, cjs, types]) expect(files).toContain(file.replace('./', ''));
  });

  test('frameworks and drivers are optional peers, all of them', () => {
    expect(
      Object.keys(manifest.peerDependencies).filter((name) => manifest.peerDependenciesMeta[name]?.optional !== true),
    ).toEqual([]);
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

/** Every package that the source imports and the build does not, with all that these depend on: their code is in it. */
function bundled(): string[] {
  const source = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
  const named = (code: string): Set<string> =>
    new Set(
      [...code.matchAll(/from ["']((?:@[\w-]+\/)?[\w-]+)(?:\/[^"']*)?["']|require\(["']([^."':]+)["']\)/g)].map(
        ([, imported, required]) => (imported ?? required) as string,
      ),
    );
  const builds = ['.js', '.cjs'].map((kind) => named(files.filter((file) => file.endsWith(kind)).map(text).join('\n')));
  const all = named(
    source.map((path) => readFileSync(join(ROOT, 'src', path), 'utf8').replaceAll(/^import type .*$/gm, '')).join('\n'),
  );
  const missing = new Set([...all].filter((name) => name in allDependencies && builds.some((imported) => !imported.has(name))));
  for (const name of missing) for (const dependency of Object.keys(manifestOf(name).dependencies ?? {})) missing.add(dependency);
  return [...missing];
}

const manifestOf = (name: string): { dependencies?: Record<string, string>; devDependencies?: Record<string, string> } =>
  JSON.parse(readFileSync(join(ROOT, name === '.' ? '' : `node_modules/${name}`, 'package.json'), 'utf8'));
const allDependencies = { ...manifestOf('.').devDependencies, ...manifest.dependencies };

test('the licence of every package whose code is in the build stands beside it', () => {
  const names = bundled();
  expect(names.toSorted()).toEqual(['p-limit', 'yocto-queue', 'zod']);
  const notices = text('dist/THIRD_PARTY_NOTICES.txt');
  const noticed = [...notices.matchAll(/^(\S+) \d+\.\d+\.\d+ \(([^)]+)\)$/gm)].map(([, name, licence]) => ({ name, licence }));
  expect(noticed).toEqual(names.toSorted().map((name) => ({ name, licence: 'MIT' })));
  for (const name of names) {
    const licence = readdirSync(join(ROOT, 'node_modules', name)).find((file) => /^license(\.md)?$/i.test(file)) as string;
    expect(notices).toContain(readFileSync(join(ROOT, 'node_modules', name, licence), 'utf8').trim());
  }
});

test('dependencies are ranges, so that an application installs one copy', () => {
  expect(Object.values(manifest.dependencies).filter((range) => !range.startsWith('^'))).toEqual([]);
});
