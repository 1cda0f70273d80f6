import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { example } from './support.js';

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));
/** Tested by themselves. */
const ELSEWHERE = new Set(['demo', 'quickstart', 'telegram-polling', 'owned-socket']);

const runnable = readdirSync(EXAMPLES).filter((name) => !ELSEWHERE.has(name) && existsSync(`${EXAMPLES}${name}/run.mjs`));

describe('under plain Node, against the built package, prints what its README shows', () => {
  beforeAll(async () => {
    const { build, isBuilt } = await example('support/build.mjs');
    if (!isBuilt()) await build(AbortSignal.timeout(180_000));
  }, 200_000);

  it.each(runnable)('examples/%s', async (name) => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [`${EXAMPLES}${name}/run.mjs`], { timeout: 60_000 });
    expect(stderr).toBe('');
    const [, shown] = /```text\n([^]*?)```/.exec(readFileSync(`${EXAMPLES}${name}/README.md`, 'utf8')) ?? [];
    expect(stdout).toBe(shown);
  }, 90_000);
});
