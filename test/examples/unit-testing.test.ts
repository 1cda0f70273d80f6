import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtCopy, ROOT } from './built-copy.js';

describe('examples/unit-testing: an application’s own tests', () => {
  let folder: string;
  beforeAll(async () => { folder = `${await builtCopy()}/examples/unit-testing`; }, 60_000);
  afterAll(() => rmSync(`${folder}/../..`, { recursive: true, force: true }));

  const run = async (...args: string[]): Promise<string> => {
    const { NODE_OPTIONS: _options, ...env } = process.env;
    const own = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('VITEST')));
    return (await promisify(execFile)(process.execPath, args, { cwd: folder, timeout: 60_000, env: { ...own, NO_COLOR: '1' } }))
      .stdout;
  };

  test('pass under vitest', async () => {
    const report = JSON.parse(await run(`${ROOT}node_modules/vitest/vitest.mjs`, 'run', '--reporter=json'));
    expect(report).toMatchObject({ success: true, numPassedTests: 7, numTotalTests: 7 });
  }, 70_000);

  test('pass under node:test, the conformance of their own store among them', async () => {
    const output = await run('--test', '--test-reporter=tap', 'tests/bots.node.mjs');
    expect(output).toMatch(/^# pass 1[2-9]$/m);
    expect(output).toMatch(/^# fail 0$/m);
    expect(output).toContain('store conformance');
  }, 70_000);
});
