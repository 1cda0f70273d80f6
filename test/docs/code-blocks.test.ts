import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import * as hydrant from 'hydrant';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = await mkdtemp(`${root}test/docs/generated-`);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Its blocks are files of test/databases, which has the ORMs that they need. */
const YOUR_DATABASE = 'examples/guides/your-database.md';

/** Its blocks run on the real frameworks in test/frameworks, which are installed apart. */
const FRAMEWORKS = 'examples/guides/frameworks.md';

interface Block { readonly file: string; readonly line: number; readonly code: string }

async function documents(): Promise<string[]> {
  const guides = await readdir(`${root}examples/guides`).catch(() => []);
  return ['README.md', ...guides.filter((name) => name.endsWith('.md')).map((name) => `examples/guides/${name}`)];
}

async function blocksOf(file: string): Promise<Block[]> {
  const text = await readFile(root + file, 'utf8');
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => ({
    file, code: match[1] ?? '', line: text.slice(0, match.index).split('\n').length + 1,
  }));
}

const TYPES = ['InstanceFactory', 'ConnectionStore', 'ConnectionRecord', 'Connections', 'Lease', 'Clock'];

/** What a block does not import itself it is given, as a reader would. */
function moduleOf({ code }: Block): string {
  const given = (names: readonly string[], from: string, type = ''): string => {
    const missing = names.filter(
      (name) =>
        new RegExp(`\\b${name}\\b`).test(code)
        && !new RegExp(`import [^;]*\\b${name}\\b[^;]* from|(?:const|class|interface|type) ${name}\\b`).test(code),
    );
    return missing.length === 0 ? '' : `import ${type}{ ${missing.join(', ')} } from '${from}'; `;
  };
  const imports =
    given(Object.keys(hydrant), 'hydrant')
    + given(TYPES, 'hydrant', 'type ')
    + given(['expressWebhook'], 'hydrant/express')
    + given(['fastifyWebhook'], 'hydrant/fastify')
    + given(['toNodeHandler'], 'hydrant/node')
    + given(['PostgresStore', 'PostgresClaims'], 'hydrant/postgres')
    + given(['RedisStore', 'RedisClaims'], 'hydrant/redis')
    + given(['ExclusiveRunner', 'Tenure'], 'hydrant/exclusive')
    + given(['ManualClock', 'storeConformance', 'claimConformance'], 'hydrant/testing');
  return `export {}; ${imports}\n${code}`;
}

test('every ts block of README and guides type-checks', async () => {
  const checkedHere = (await documents()).filter((file) => ![YOUR_DATABASE, FRAMEWORKS].includes(file));
  const blocks = (await Promise.all(checkedHere.map(blocksOf))).flat();
  expect(blocks.length).toBeGreaterThan(10);
  const named = new Map<string, Block>();
  for (const [index, block] of blocks.entries()) {
    named.set(`block${index}.ts`, block);
    await writeFile(`${folder}/block${index}.ts`, moduleOf(block));
  }
  await writeFile(`${folder}/tsconfig.json`, JSON.stringify({
    extends: '../../../tsconfig.json',
    compilerOptions: { noUnusedLocals: false, exactOptionalPropertyTypes: false },
    include: ['block*.ts', '../fixtures/prelude.d.ts'], exclude: [],
  }));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [`${root}node_modules/ts7/bin/tsc`, '-p', folder, '--pretty', 'false'],
    { maxBuffer: 1e7 },
  ).catch((error: { stdout: string }) => error);
  const problems = stdout.split('\n').filter((line) => /error TS/.test(line)).map((line) => {
    const [, name = '', at = '0', rest = ''] = /(block\d+\.ts)\((\d+),\d+\): (.*)/.exec(line) ?? [];
    const block = named.get(name);
    return block === undefined ? line : `${block.file}:${block.line + Number(at) - 2} ${rest}`;
  });
  expect(problems).toEqual([]);
}, 60_000);

test.each([
  ['README.md', 'js', 'examples/first-webhook/gateway.mjs'],
  ['README.md', 'js', 'examples/production/gateway.mjs'],
  ['examples/guides/kubernetes.md', 'js', 'examples/graceful-shutdown/shutdown.mjs'],
  [FRAMEWORKS, 'ts', 'test/frameworks/recipes/nest.ts'],
  ['examples/guides/kubernetes.md', 'yaml', 'examples/graceful-shutdown/deployment.yaml'],
])('%s shows, to the letter, the %s of %s', async (document, language, path) => {
  expect(await readFile(root + document, 'utf8')).toContain(`\`\`\`${language}\n${await readFile(root + path, 'utf8')}\`\`\``);
});

test('the guide to databases shows every recipe to the letter, and no other code', async () => {
  const recipesFolder = `${root}test/databases/recipes/`;
  const names = (await readdir(recipesFolder, { recursive: true })).filter(
    (name) => !name.includes('generated') && /\.(ts|sql|prisma)$/.test(name),
  );
  const recipes = await Promise.all(
    names.map(async (name) => `\`\`\`${name.split('.').at(-1)}\n${await readFile(recipesFolder + name, 'utf8')}\`\`\``),
  );
  const text = await readFile(root + YOUR_DATABASE, 'utf8');
  for (const [index, recipe] of recipes.entries()) expect(text.includes(recipe), names[index]).toBe(true);
  const blocks = text.match(/^```\w+\n[^]*?^```$/gm) ?? [];
  expect(blocks.filter((block) => !recipes.includes(block))).toEqual([]);
});

test('no block of code is left out: what is not checked as TypeScript is an example that runs, or no code', async () => {
  for (const file of await documents()) {
    const languages = [...(await readFile(root + file, 'utf8')).matchAll(/^```(\S+)\n/gm)].map(([, language = '']) => language);
    const others = languages.filter((language) => !['ts', 'sh', 'text', 'mermaid'].includes(language));
    if ([YOUR_DATABASE, FRAMEWORKS].includes(file)) continue;
    const shown = { 'README.md': ['js', 'js'], 'examples/guides/kubernetes.md': ['js', 'yaml'] }[file] ?? [];
    expect(others, file).toEqual(shown);
  }
});

async function everythingToRead(): Promise<string[]> {
  const examples = await readdir(`${root}examples`, { recursive: true });
  return [
    ...(await documents()),
    '.github/CONTRIBUTING.md',
    'test/runtimes/README.md',
    ...examples.filter((path) => /^[^/]+\/README\.md$|^README\.md$/.test(path)).map((path) => `examples/${path}`),
  ];
}

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

test('every command that contributors are told to run is a script, or a file that is there', async () => {
  const { scripts } = JSON.parse(await readFile(`${root}package.json`, 'utf8')) as { scripts: Record<string, string> };
  for (const file of await everythingToRead()) {
    const text = await readFile(root + file, 'utf8');
    for (const [, script = ''] of text.matchAll(/npm run ([\w:-]+)/g)) expect(Object.keys(scripts), file).toContain(script);
    for (const [, path = ''] of text.matchAll(/\bnode (?:--expose-gc )?((?:test|examples)\/[\w./-]+\.mjs)/g))
      await readFile(root + path);
  }
});

test('the changelog has a dated section for the version of the package', async () => {
  const { version } = JSON.parse(await readFile(`${root}package.json`, 'utf8')) as { version: string };
  expect(await readFile(`${root}CHANGELOG.md`, 'utf8')).toMatch(new RegExp(`^## \\[${version}\\] - \\d{4}-`, 'm'));
});

test('every link within README leads to a heading of it', async () => {
  const readme = await readFile(`${root}README.md`, 'utf8');
  const anchors = new Set(
    [...readme.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
  for (const [, anchor = ''] of readme.matchAll(/\]\(#([^)]+)\)/g)) expect(anchors).toContain(anchor);
});
