import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import * as hydrant from 'hydrant';
import { documents, root } from './support/documents.js';

const folder = await mkdtemp(`${root}test/docs/generated-`);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Its blocks are files of test/databases, which has the ORMs that they need. */
const YOUR_DATABASE = 'examples/guides/your-database.md';

/** Its blocks run on the real frameworks in test/frameworks, which are installed apart. */
const FRAMEWORKS = 'examples/guides/frameworks.md';

interface Block { readonly file: string; readonly line: number; readonly code: string }

async function blocksOf(file: string): Promise<Block[]> {
  const text = await readFile(root + file, 'utf8');
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => ({
    file, code: match[1] ?? '', line: text.slice(0, match.index).split('\n').length + 1,
  }));
}

const TYPES = ['InstanceFactory', 'ConnectionStore', 'ConnectionRecord', 'Connections', 'Lease', 'Clock'];

/** Adds the imports that a block leaves out, as a reader does. */
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
  { document: 'README.md', language: 'js', path: 'examples/first-webhook/gateway.mjs' },
  { document: 'README.md', language: 'js', path: 'examples/production/gateway.mjs' },
  { document: 'examples/guides/kubernetes.md', language: 'js', path: 'examples/graceful-shutdown/shutdown.mjs' },
  { document: FRAMEWORKS, language: 'ts', path: 'test/frameworks/recipes/nest.ts' },
  { document: 'examples/guides/kubernetes.md', language: 'yaml', path: 'examples/graceful-shutdown/deployment.yaml' },
])('$document shows, to the letter, the $language of $path', async ({ document, language, path }) => {
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

test('every block of code is checked as TypeScript, or is an example that runs, or is no code', async () => {
  for (const file of await documents()) {
    const languages = [...(await readFile(root + file, 'utf8')).matchAll(/^```(\S+)\n/gm)].map(([, language = '']) => language);
    const others = languages.filter((language) => !['ts', 'sh', 'text', 'mermaid'].includes(language));
    if ([YOUR_DATABASE, FRAMEWORKS].includes(file)) continue;
    const shown = { 'README.md': ['js', 'js'], 'examples/guides/kubernetes.md': ['js', 'yaml'] }[file] ?? [];
    expect(others, file).toEqual(shown);
  }
});
