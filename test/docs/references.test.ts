import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { LONG, LONG_SERVERS, LONG_TIMED } from '../../vitest.config.js';
import { documents, everythingToRead, root } from './support/documents.js';

test('every link to a file leads somewhere', async () => {
  for (const file of await everythingToRead()) {
    const text = await readFile(root + file, 'utf8');
    const base = new URL(file, `file://${root}`);
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)) {
      const path = fileURLToPath(new URL(target, base));
      const found = await readFile(path).then(() => true, (error: { code: string }) => error.code === 'EISDIR');
      expect(found, `${file} links to ${target}`).toBe(true);
    }
  }
});

test('README and guides link only to files that the package contains', async () => {
  for (const file of await documents()) {
    const text = await readFile(root + file, 'utf8');
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)) {
      const path = fileURLToPath(new URL(target, `file:///${file}`));
      expect(path, `${file} links to ${target}`).toMatch(/^\/(?:examples\/guides\/|README\.md$|CHANGELOG\.md$|LICENSE$)/);
    }
  }
});

test('the map for contributors has a place for every room of src', async () => {
  const text = await readFile(`${root}.github/CONTRIBUTING.md`, 'utf8');
  const named = [...(/## The map of `src`([^]*?)## /.exec(text)?.[1] ?? '').matchAll(/^\| (`.*?) \|/gm)].flatMap(
    ([, cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, room]) => room),
  );
  expect(named.toSorted()).toEqual((await readdir(`${root}src`)).toSorted());
});

test('the picture for contributors is drawn from the imports', async () => {
  const { map } = await import('./map.mjs' as string) as { map(): string };
  expect(await readFile(`${root}.github/CONTRIBUTING.md`, 'utf8')).toContain(`\`\`\`mermaid\n${map()}\`\`\`\n`);
});

test('every command that a page names is a script, and its suite one of the benchmark', async () => {
  const { scripts } = JSON.parse(await readFile(`${root}package.json`, 'utf8')) as { scripts: Record<string, string> };
  const { SUITES } = await import('../bench/suites.mjs' as string) as { SUITES: object };
  for (const file of await everythingToRead()) {
    const text = await readFile(root + file, 'utf8');
    for (const [, script = ''] of text.matchAll(/npm run ([\w:-]+)/g)) expect(Object.keys(scripts), file).toContain(script);
    for (const [, suites = ''] of text.matchAll(/npm run bench -- ([\w ]+)/g)) {
      for (const suite of suites.split(' ')) expect(Object.keys(SUITES), file).toContain(suite);
    }
  }
});

/** The patterns that the configuration uses: `{a,b}`, `*` and a folder in between. */
const patternOf = (glob: string): RegExp => new RegExp(`^${glob.replaceAll('.', '\\.').replaceAll('**/', '(?:.+/)?')
  .replaceAll(/(?<!\.)\*/g, '[^/]*').replaceAll('{', '(?:').replaceAll('}', ')').replaceAll(',', '|')}$`);

test('every vitest command of a page names the project that its tests are in', async () => {
  const inProject = { long: LONG, 'long-servers': LONG_SERVERS, 'long-timed': LONG_TIMED };
  for (const file of await everythingToRead()) {
    const commands = (await readFile(root + file, 'utf8')).matchAll(/run --project ([\w-]+)((?: test\/[\w./-]+)*)/g);
    for (const [command, project, tests = ''] of commands) {
      for (const path of tests.split(' ').filter((name) => name.endsWith('.test.ts'))) {
        const kind = path.startsWith('test/servers/') ? 'servers' : 'unit';
        const inLong = Object.entries(inProject).find(([, globs]) => globs.some((glob) => patternOf(glob).test(path)));
        expect(project, `${file}: ${command}`).toBe(inLong?.[0] ?? kind);
      }
    }
  }
});

test('every file of the repository that a page names is there', async () => {
  const withoutCodeOfTheReader = (page: string): string => page.replaceAll(/^```js\n[^]*?^```$/gm, '');
  for (const file of await everythingToRead()) {
    const text = withoutCodeOfTheReader(await readFile(root + file, 'utf8'));
    const named = [...text.matchAll(/(?<![\w/.-])(?:test|src|examples)\/[\w./-]*\w/g)].map(([path]) => path);
    expect(named.filter((path) => !existsSync(root + path)), file).toEqual([]);
  }
});

const COMMAND = /`[^`\n]*(?:npm run|npx |node |test\/)[^`\n]*`/;

test('every section with a measured figure names a command, or the test that holds it', async () => {
  const figure = /\d\s?(?:×|%|times\b|KiB|MiB|GB|µs|queries per|a second|\/s\b)/;
  for (const file of await documents()) {
    const text = (await readFile(root + file, 'utf8')).replaceAll(/^```[^]*?^```$/gm, '');
    const unnamed = text.split(/^(?=## )/m).filter((section) => figure.test(section) && !COMMAND.test(section));
    expect(unnamed.map((section) => section.split('\n')[0]), file).toEqual([]);
  }
});

test('every promise of README is one of the manual, whose test bears its number', async () => {
  const promises = [...(await readFile(`${root}README.md`, 'utf8')).matchAll(/^\| (G\d+) \|/gm)].map(([, name]) => name);
  const rows = [...(await readFile(`${root}examples/guides/guarantees.md`, 'utf8')).matchAll(/^\| (G\d+) \|.*\|(.*)\|$/gm)];
  expect(promises).toHaveLength(14);
  expect(rows.map(([, name]) => name)).toEqual(promises);
  for (const [, name = '', proof] of rows) expect(proof).toMatch(new RegExp(`/${name.toLowerCase()}-[\\w-]+\\.test\\.ts`));
});

test('every fault in the manual names the test that causes it', async () => {
  const text = await readFile(`${root}examples/guides/what-can-go-wrong.md`, 'utf8');
  const lines = text.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| fault'));
  const rows = lines.map((line) => line.split('|'));
  expect(rows.length).toBeGreaterThan(25);
  expect(rows.filter((cells) => !/`test\/|\]\(/.test(cells.at(-2) ?? '')).map(([, fault]) => fault)).toEqual([]);
});

test('README asks for the versions that the package asks for and is tested with', async () => {
  const { engines, devDependencies } = JSON.parse(await readFile(`${root}package.json`, 'utf8')) as {
    engines: { node: string };
    devDependencies: Record<string, string>;
  };
  const oldest = /^npm:typescript@(\d+\.\d+)/.exec(devDependencies['ts54'] ?? '')?.[1];
  const readme = await readFile(`${root}README.md`, 'utf8');
  expect(readme).toContain(`Node ${engines.node.replace('>=', '')} or newer`);
  expect(readme).toContain(`TypeScript ${oldest} or newer`);
});

test('the changelog has a dated section for the version of the package', async () => {
  const { version } = JSON.parse(await readFile(`${root}package.json`, 'utf8')) as { version: string };
  expect(await readFile(`${root}CHANGELOG.md`, 'utf8')).toMatch(new RegExp(`^## \\[${version}\\] - \\d{4}-`, 'm'));
});

async function anchorsOf(file: string): Promise<ReadonlySet<string>> {
  const text = (await readFile(root + file, 'utf8')).replaceAll(/^```[^]*?^```$/gm, '');
  const titles = [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) => title.toLowerCase());
  return new Set(titles.map((title) => title.replaceAll(/[^\w\- ]/g, '').replaceAll(' ', '-')));
}

test('every link to a heading leads to one', async () => {
  for (const file of await everythingToRead()) {
    const links = (await readFile(root + file, 'utf8')).matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g);
    for (const [, page = '', anchor = ''] of links) {
      const target = page === '' ? file : relative(root, resolve(root, dirname(file), page));
      expect(await anchorsOf(target), `${file} links to ${page}#${anchor}`).toContain(anchor);
    }
  }
});
