/**
 * `npm run bench:versions`: measures webhooks on Node 20, 22, 24 and 26, each in processes of that version.
 * `npm run bench:versions -- 24.21.0 --rounds=11 --only=webhook` for some of it.
 */
import { execFileSync, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, isBuilt } from '../../examples/support/build.mjs';
import { BY_HAND, HANDLE_WEBHOOK } from './suites/webhook.mjs';

const HERE = fileURLToPath(new URL('./', import.meta.url));
const option = (name) => process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3);
const asked = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const versions = asked.length === 0 ? ['20.20.2', '22.23.3', '24.21.0', '26.10.0'] : asked;
const rounds = Number(option('rounds') ?? 41);

if (!existsSync(`${HERE}node_modules`)) execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: HERE, stdio: 'inherit' });
if (process.env.HYDRANT_ENTRY === undefined && !isBuilt()) await build();

const rows = [];
for (const version of versions) {
  const execPath = execFileSync('npx', ['--yes', '--package', `node@${version}`, '--', 'node', '-p', 'process.execPath'], {
    encoding: 'utf8',
  }).trim();
  const actual = execFileSync(execPath, ['--version'], { encoding: 'utf8' }).trim();
  if (actual !== `v${version}`) throw new Error(`expected Node ${version}, got ${actual}`);
  const cells = [version];
  if (option('only') !== 'http') {
    const results = await measure(execPath, 'webhook', { rounds, only: [BY_HAND, HANDLE_WEBHOOK] });
    const { ratio, low, high } = results.find(({ name }) => name === HANDLE_WEBHOOK);
    cells.push(`${ratio.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`);
  }
  if (option('only') !== 'webhook') {
    for (const { fetch, hydrant } of await measure(execPath, 'http', { rounds })) {
      cells.push([fetch.times, fetch.throughput, hydrant.cold.p99 / fetch.cold.p99].map((value) => value.toFixed(2)).join(' / '));
    }
  }
  rows.push(cells);
  console.log(`| ${cells.join(' | ')} |`);
}
const head = ['Node'];
if (option('only') !== 'http') head.push('handleWebhook, times by hand (middle half)');
if (option('only') !== 'webhook')
  head.push(...['Express', 'Fastify', 'Hono'].map((name) => `${name}: times the CPU / throughput / cold p99 of Map, Request`));
console.log(
  `\n| ${head.join(' | ')} |\n|${head.map(() => '---|').join('')}\n${rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}`,
);

function measure(execPath, suite, options) {
  const child = fork(`${HERE}child.mjs`, [suite, JSON.stringify(options)], { execPath, execArgv: ['--expose-gc'] });
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`${suite} on ${execPath} ended with ${code}`)));
  });
}
