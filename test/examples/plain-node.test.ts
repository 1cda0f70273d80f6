import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import tsup from '../../tsup.config.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Tested by themselves. */
const ELSEWHERE = new Set(['demo', 'telegram-polling', 'owned-socket']);

const runnable = readdirSync(`${ROOT}examples`)
  .filter((name) => !ELSEWHERE.has(name) && existsSync(`${ROOT}examples/${name}/run.mjs`));

/**
 * The package and its examples in a folder of their own, so that the name `hydrant` leads to JavaScript built a moment
 * ago and nobody else's build is in the way. (What is published is tested in `test/package` and `test/runtimes`.)
 */
async function builtCopy(): Promise<string> {
  mkdirSync(`${ROOT}node_modules/.cache`, { recursive: true });
  const copy = mkdtempSync(`${ROOT}node_modules/.cache/examples-`);
  for (const path of ['package.json', 'examples', 'test/servers/support']) cpSync(`${ROOT}${path}`, `${copy}/${path}`, { recursive: true });
  const [config] = tsup as [{ entry: Record<string, string> }];
  await build({
    absWorkingDir: ROOT, entryPoints: config.entry, outdir: `${copy}/dist`,
    bundle: true, splitting: true, format: 'esm', packages: 'external', target: 'node20', logLevel: 'silent',
  });
  return copy;
}

describe('under plain Node, against the built package, prints what its README shows', () => {
  let copy: string;
  beforeAll(async () => { copy = await builtCopy(); }, 60_000);
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  it.each(runnable)('examples/%s', async (name) => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [`${copy}/examples/${name}/run.mjs`], { timeout: 60_000 });
    expect(stderr).toBe('');
    const [, shown] = /```text\n([^]*?)```/.exec(readFileSync(`${ROOT}examples/${name}/README.md`, 'utf8')) ?? [];
    expect(stdout).toBe(shown);
  }, 90_000);
});
