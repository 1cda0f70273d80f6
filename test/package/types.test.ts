import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { application, entries } from './support/installed.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CONTRACT = join(ROOT, 'test/types/contract');
const COMPILERS = { 'TypeScript 5.4': 'ts54', 'TypeScript 5.9': 'ts59', 'TypeScript 6': 'typescript', 'TypeScript 7': 'ts7' };
const KINDS = ['module', 'commonjs'] as const;
const OPTIONS = {
  target: 'ES2022', lib: ['ES2023', 'ESNext.Disposable', 'DOM', 'DOM.Iterable'], module: 'NodeNext', moduleResolution: 'NodeNext',
  // `chat` and others do not hold in every version without it.
  types: ['node'], strict: true, noEmit: true, skipLibCheck: true,
};

const folder = join(application, 'types');

/** Applications that have everything the contract imports, and the packed package. */
beforeAll(() => {
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (!name.startsWith('.') && name !== 'hydrant')
      symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
  }
  mkdirSync(join(folder, 'both'));
  for (const kind of KINDS) sources(join('both', kind), kind);
  settings('both', ['*/*.ts']);
  return () => rmSync(folder, { recursive: true, force: true });
});

function sources(name: string, kind: (typeof KINDS)[number]): void {
  cpSync(CONTRACT, join(folder, name), { recursive: true });
  writeFileSync(join(folder, name, 'package.json'), JSON.stringify({ type: kind }));
}

function settings(name: string, include: string[]): void {
  writeFileSync(join(folder, name, 'tsconfig.json'), JSON.stringify({ compilerOptions: OPTIONS, include }));
}

/** The errors a compiler finds, each on one line. */
function errorsOf(compiler: string, name: string): Promise<string[]> {
  const tsc = join(ROOT, 'node_modules', compiler, 'bin/tsc');
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [tsc, '-p', join(folder, name), '--pretty', 'false'],
      { cwd: folder, maxBuffer: 2 ** 24 },
      (error, stdout, stderr) => {
        const errors = stdout.split('\n').filter((line) => line.includes('error TS'));
        if (error !== null && errors.length === 0) reject(new Error(`${compiler} failed: ${stdout}${stderr}`, { cause: error }));
        else resolve(errors);
      },
    );
  });
}

/** `chat` and its adapters are ESM only, which CommonJS may import from TypeScript 5.8 on. */
const esmOnly = (error: string): boolean => /error TS1479: .*"(chat|@chat-adapter\/[^"]+)"/.test(error);

// In one run for both kinds of module, the compiler reads its library and the vendors' declarations once.
test.each(Object.entries(COMPILERS))(
  '%s: the contract compiles as ESM and as CommonJS, and its mistakes do not',
  async (_name, compiler) => {
    const errors = await errorsOf(compiler, 'both');
    const mayBe = (error: string): boolean => compiler === 'ts54' && error.startsWith('both/commonjs/') && esmOnly(error);
    expect(errors.filter((error) => !mayBe(error))).toEqual([]);
  },
);

test("our declarations compile without skipLibCheck, and with the target's own library alone", async () => {
  const own = entries.map(({ name }) => name).filter((name) => name !== 'hydrant/otel');
  mkdirSync(join(folder, 'plain'), { recursive: true });
  writeFileSync(join(folder, 'plain/package.json'), JSON.stringify({ type: 'module' }));
  writeFileSync(join(folder, 'plain/all.ts'), own.map((name, index) => `export * as entry${index} from '${name}';\n`).join(''));
  writeFileSync(
    join(folder, 'plain/tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        target: 'ES2022',
        module: 'NodeNext',
        moduleResolution: 'NodeNext',
        types: ['node'],
        strict: true,
        noEmit: true,
      },
      include: ['*.ts'],
    }),
  );
  expect(await errorsOf('ts7', 'plain')).toEqual([]);
});

test('the check sees mistakes: each one that is expected is one when it is not', async () => {
  sources('bare', 'module');
  settings('bare', ['*.ts']);
  let mistakes = 0;
  for (const file of readdirSync(CONTRACT)) {
    const bare = readFileSync(join(CONTRACT, file), 'utf8').replaceAll('@ts-expect-error', () => { mistakes += 1; return ''; });
    writeFileSync(join(folder, 'bare', file), bare);
  }
  expect(mistakes).toBeGreaterThanOrEqual(7);
  expect((await errorsOf('ts7', 'bare')).length).toBeGreaterThanOrEqual(mistakes);
});
