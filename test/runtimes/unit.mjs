/**
 * Runs the unit tests on a given version of Node, which npx brings.
 *
 *   npm run test:node -- 24                      all of them on Node 24
 *   npm run test:node -- 24 test/webhook         those of a folder
 *   npm run test:node -- other                   on a version that is not this one: another one each day
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { NODE_VERSIONS, otherVersion } from './runtimes.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const [asked, ...rest] = process.argv.slice(2);
const version =
  asked === 'other'
    ? otherVersion(process.versions.node, Date.now())
    : NODE_VERSIONS.find((one) => one === asked || one.startsWith(`${asked}.`));
if (version === undefined) {
  console.error(`Expected one of ${NODE_VERSIONS.map((one) => one.split('.')[0]).join(', ')} or other, got ${asked}`);
  process.exit(1);
}
console.log(`Node ${version}`);

// With install scripts turned off, npx runs the machine's own version instead and says nothing.
const check = `if (process.versions.node !== '${version}') throw new Error('expected Node ${version}, got ' + `
  + 'process.versions.node)';
const tests = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', '--project', 'long', ...rest];
for (const args of [['--eval', check], tests]) {
  const { status } = spawnSync('npx', ['--yes', '--package', `node@${version}`, '--', 'node', ...args], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}
