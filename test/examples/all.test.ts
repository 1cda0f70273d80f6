import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ROOT } from './built-copy.js';

/** No examples, but what several share, and prose. */
const NO_EXAMPLES = new Set(['support', 'guides']);

const examples = readdirSync(`${ROOT}examples`).filter(
  (name) => statSync(`${ROOT}examples/${name}`).isDirectory() && !NO_EXAMPLES.has(name),
);

test('every example has a description', () => {
  expect(examples.filter((name) => !existsSync(`${ROOT}examples/${name}/README.md`))).toEqual([]);
});

test('every example is in the index, and every entry of the index exists', () => {
  const index = readFileSync(`${ROOT}examples/README.md`, 'utf8');
  const linked = [...index.matchAll(/\]\(([\w-]+)\)/g)].map(([, name]) => name as string);
  expect(linked.toSorted()).toEqual(examples.toSorted());
});

test('every example is run by a test', () => {
  const tests = readdirSync(`${ROOT}test`, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts') && !path.endsWith('all.test.ts'))
    .map((path) => readFileSync(`${ROOT}test/${path}`, 'utf8'))
    .join('\n');
  const run = (name: string): boolean =>
    existsSync(`${ROOT}examples/${name}/run.mjs`) || tests.includes(`'${name}/`) || tests.includes(`examples/${name}`);
  expect(examples.filter((name) => !run(name))).toEqual([]);
});

test('the examples type-check against the package', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [`${ROOT}node_modules/ts7/bin/tsc`, '-p', 'examples', '--pretty', 'false'],
    { cwd: ROOT },
  ).catch((error: { stdout: string }) => error);
  expect(stdout).toBe('');
}, 90_000);
