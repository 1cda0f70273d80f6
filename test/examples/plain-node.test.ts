import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtCopy, ROOT } from './built-copy.js';

/** Tested by themselves. */
const ELSEWHERE = new Set(['demo', 'refresh-tokens']);

const runnable = readdirSync(`${ROOT}examples`)
  .filter((name) => !ELSEWHERE.has(name) && existsSync(`${ROOT}examples/${name}/run.mjs`));

describe('under plain Node, against the built package, prints what its README shows', () => {
  let copy: string;
  beforeAll(async () => { copy = await builtCopy(); }, 60_000);
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  test.each(runnable)('examples/%s', async (name) => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [`${copy}/examples/${name}/run.mjs`], {
      timeout: 60_000,
    });
    expect(stderr).toBe('');
    const [, shown] = /```text\n([^]*?)```/.exec(readFileSync(`${ROOT}examples/${name}/README.md`, 'utf8')) ?? [];
    expect(stdout).toBe(shown);
  }, 90_000);
});
