import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const source = (path: string): string => fileURLToPath(new URL(`../../src/${path}`, import.meta.url));

describe('the store conformance suite under node:test', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hydrant-runner-'));
    await build({
      entryPoints: [source('testing/index.ts'), source('index.ts')],
      bundle: true,
      splitting: true,
      platform: 'node',
      format: 'esm',
      outdir: folder,
      outExtension: { '.js': '.mjs' },
      outbase: source(''),
    });
  }, 30_000);
  afterAll(() => rm(folder, { recursive: true }));

  async function run(configOf: string): Promise<string> {
    const file = join(folder, 'store.test.mjs');
    await writeFile(
      file,
      `
      import { describe, it } from 'node:test';
      import { MemoryStore } from './index.mjs';
      import { storeConformance } from './testing/index.mjs';
      storeConformance({ describe, it }, () => {
        const store = new MemoryStore();
        const write = (id, { status, config }) => store.put({ id, status, config });
        return { store, write, remove: (id) => store.delete(id), configOf: ${configOf} };
      });`,
    );
    const { NODE_OPTIONS: _, ...env } = process.env;
    return (
      await promisify(execFile)(process.execPath, ['--test', '--test-reporter=tap', file], { env }).catch(
        (error: { stdout: string }) => error,
      )
    ).stdout;
  }

  test('passes a correct store, and fails a broken one', async () => {
    const right = await run('(record) => record.config');
    expect(right).toMatch(/# pass 1\d/);
    expect(right).toContain('# fail 0');
    expect(await run(`() => 'always the same'`)).toMatch(/not ok \d+ - get: returns the row/);
  }, 30_000);
});
