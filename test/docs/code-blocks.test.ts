import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import * as hydrant from 'hydrant';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = await mkdtemp(`${root}test/docs/generated-`);
afterAll(() => rm(folder, { recursive: true, force: true }));

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
    const missing = names.filter((name) => new RegExp(`\\b${name}\\b`).test(code) && !new RegExp(`import [^;]*\\b${name}\\b[^;]* from|(?:const|class|interface|type) ${name}\\b`).test(code));
    return missing.length === 0 ? '' : `import ${type}{ ${missing.join(', ')} } from '${from}'; `;
  };
  const imports = given(Object.keys(hydrant), 'hydrant') + given(TYPES, 'hydrant', 'type ')
    + given(['expressWebhook'], 'hydrant/express') + given(['fastifyWebhook'], 'hydrant/fastify') + given(['toNodeHandler'], 'hydrant/node')
    + given(['PostgresStore', 'PostgresClaims'], 'hydrant/postgres') + given(['RedisStore', 'RedisClaims'], 'hydrant/redis')
    + given(['ExclusiveRunner', 'Tenure'], 'hydrant/exclusive')
    + given(['ManualClock', 'storeConformance', 'claimConformance'], 'hydrant/testing');
  return `export {}; ${imports}\n${code}`;
}

test('every ts block of README and guides type-checks', async () => {
  const blocks = (await Promise.all((await documents()).map(blocksOf))).flat();
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
  const { stdout } = await promisify(execFile)(process.execPath, [`${root}node_modules/ts7/bin/tsc`, '-p', folder, '--pretty', 'false'], { maxBuffer: 1e7 })
    .catch((error: { stdout: string }) => error);
  const problems = stdout.split('\n').filter((line) => /error TS/.test(line)).map((line) => {
    const [, name = '', at = '0', rest = ''] = /(block\d+\.ts)\((\d+),\d+\): (.*)/.exec(line) ?? [];
    const block = named.get(name);
    return block === undefined ? line : `${block.file}:${block.line + Number(at) - 2} ${rest}`;
  });
  expect(problems).toEqual([]);
}, 60_000);

test("README's quickstart is the example's code, to the letter", async () => {
  const readme = await readFile(`${root}README.md`, 'utf8');
  const example = await readFile(`${root}examples/quickstart/gateway.mjs`, 'utf8');
  expect(readme).toContain(`\`\`\`js\n${example}\`\`\``);
});

test('every link to a file in README and guides leads somewhere', async () => {
  for (const file of await documents()) {
    const text = await readFile(root + file, 'utf8');
    const base = new URL(file, `file://${root}`);
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)) {
      const path = fileURLToPath(new URL(target, base));
      const found = await readFile(path).then(() => true, (error: { code: string }) => error.code === 'EISDIR');
      expect(found, `${file} links to ${target}`).toBe(true);
    }
  }
});

test('every link within README leads to a heading of it', async () => {
  const readme = await readFile(`${root}README.md`, 'utf8');
  const anchors = new Set([...readme.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) => title.toLowerCase().replaceAll(/[^\w\- ]/g, '').replaceAll(' ', '-')));
  for (const [, anchor = ''] of readme.matchAll(/\]\(#([^)]+)\)/g)) expect(anchors).toContain(anchor);
});
