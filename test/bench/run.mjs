/**
 * `npm run bench`: measures everything and writes RESULTS.md and chart.svg. `npm run bench -- warm cold` measures only
 * those suites and prints them. `--rounds=101` for more rounds. Installs the peers first if they are not there.
 */
import { execFileSync, fork } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, isBuilt } from '../../examples/support/build.mjs';
import { chart } from './report/chart.mjs';
import { machine, report } from './report/report.mjs';
import { SUITES } from './suites.mjs';

const HERE = fileURLToPath(new URL('./', import.meta.url));
const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const rounds = Number(process.argv.find((argument) => argument.startsWith('--rounds='))?.slice(9) ?? 41);

const unknown = names.filter((name) => !(name in SUITES));
if (unknown.length > 0 || !Number.isInteger(rounds) || rounds < 1) {
  console.error(
    `Expected suites among ${Object.keys(SUITES).join(', ')} and --rounds=<a number>, got ${process.argv.slice(2).join(' ')}`,
  );
  process.exit(1);
}

if (!existsSync(`${HERE}node_modules`)) execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: HERE, stdio: 'inherit' });
if (process.env.HYDRANT_ENTRY === undefined && !isBuilt()) {
  console.log('building hydrant');
  await build();
}

const about = machine();
const results = {};
for (const name of names.length === 0 ? Object.keys(SUITES) : names) {
  console.log(`measuring ${name}`);
  results[name] = await measure(name);
}
const text = report(results, { ...about, loadAfter: machine().load, rounds });
console.log(`\n${text}`);
if (names.length === 0) {
  writeFileSync(`${HERE}RESULTS.md`, text);
  writeFileSync(`${HERE}../../examples/guides/chart.svg`, chart(results.warm[1_000]));
}

function measure(name) {
  const child = fork(`${HERE}child.mjs`, [name, JSON.stringify({ rounds })], {
    execArgv: ['--expose-gc', ...(SUITES[name].flags ?? [])],
  });
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)));
  });
}
