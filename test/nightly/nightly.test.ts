import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const nightly = (env: NodeJS.ProcessEnv, ...args: string[]) =>
  promisify(execFile)(process.execPath, ['test/nightly/run.mjs', ...args], { cwd: root, env });

test('a night of claims prints its seed before it runs, and passes without a finding', async () => {
  const { stdout } = await nightly(process.env, 'claims', '--count', '1');
  expect(stdout).toMatch(/^claims: 1 from seed \d{10}\n[^]*1 programs in .* 0 findings\n$/);
}, 60_000);

test('a finding fails the night, with the command that replays it', async () => {
  const npmOfAProofWithAFinding = '#!/bin/sh\nexit 1\n';
  const folder = mkdtempSync(join(tmpdir(), 'hydrant-nightly-'));
  writeFileSync(join(folder, 'npm'), npmOfAProofWithAFinding, { mode: 0o755 });
  const env = { ...process.env, PATH: `${folder}:${process.env['PATH']}` };
  const failed = await nightly(env, 'simulation', '--seed', '7').catch((error: { code: number; stdout: string }) => error);
  rmSync(folder, { recursive: true });
  expect(failed).toMatchObject({ code: 1 });
  expect(failed.stdout).toContain('replay it with: npm run proof:simulation -- --seed 7 --count 300000 --workers 2');
}, 60_000);

test('a count or seed that is no number is refused', async () => {
  await expect(nightly(process.env, 'claims', '--count', 'x')).rejects.toMatchObject({ code: 1 });
}, 60_000);

test('the workflow runs every kind of proof', () => {
  const [, kinds = ''] = /kind: \[(.*)\]/.exec(readFileSync(`${root}.github/workflows/nightly.yml`, 'utf8')) ?? [];
  const [, known = ''] = /const KINDS = \{([^]*?)\n\};/.exec(readFileSync(`${root}test/nightly/run.mjs`, 'utf8')) ?? [];
  expect(kinds.split(', ')).toEqual([...known.matchAll(/^ {2}(\w+):/gm)].map(([, kind]) => kind));
});
