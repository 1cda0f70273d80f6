/**
 * `npm run bench:versions`: measures what depends on the platform on Node 20, 22, 24 and 26, each in processes of that
 * version. `npm run bench:versions -- 24.21.0 --rounds=11 --only=webhook` for some of it: webhook, primitives, http, use,
 * memory.
 */
import { execFileSync, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, isBuilt } from '../../examples/support/build.mjs';
import { PRIMITIVES } from './suites/primitives.mjs';
import { SUITES } from './suites.mjs';
import { BY_HAND, BY_HAND_TO_THE_END, HANDLE_WEBHOOK } from './suites/webhook.mjs';

const HERE = fileURLToPath(new URL('./', import.meta.url));
const option = (name) => process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3);
const asked = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const versions = asked.length === 0 ? ['20.20.2', '22.23.3', '24.21.0', '26.10.0'] : asked;
const rounds = Number(option('rounds') ?? 41);

if (!existsSync(`${HERE}node_modules`)) execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: HERE, stdio: 'inherit' });
if (process.env.HYDRANT_ENTRY === undefined && !isBuilt()) await build();

const HYDRANT_USE = 'hydrant use(id, fn)';
const LRU_FETCH = 'lru-cache fetch';
const of = (results, wanted) => results.find(({ name }) => name === wanted);
const shown = ({ ratio, low, high }) => `${ratio.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;

/** One table each: its columns, and the cells of one version. */
const TABLES = {
  webhook: {
    columns: ['handleWebhook, times by hand (middle half)', 'by hand, the response read to its end'],
    async cells(execPath) {
      const results = await measure(execPath, 'webhook', { rounds, only: [BY_HAND, BY_HAND_TO_THE_END, HANDLE_WEBHOOK] });
      return [HANDLE_WEBHOOK, BY_HAND_TO_THE_END].map((name) => shown(of(results, name)));
    },
  },
  primitives: {
    columns: Object.keys(PRIMITIVES).map((name) => `${name}, µs`),
    async cells(execPath) {
      const results = await measure(execPath, 'primitives', { rounds });
      return results.map(({ ns }) => (ns / 1000).toFixed(1));
    },
  },
  http: {
    columns: ['Express', 'Fastify', 'Hono'].map((name) => `${name}: times the CPU / throughput / cold p99 of Map, Request`),
    async cells(execPath) {
      const results = await measure(execPath, 'http', { rounds });
      return results.map(({ fetch, hydrant }) =>
        [fetch.times, fetch.throughput, hydrant.cold.p99 / fetch.cold.p99].map((value) => value.toFixed(2)).join(' / '));
    },
  },
  use: {
    columns: ['1', '1 000', '100 000'].map((ids) => `use() / lru-cache.fetch at ${ids} ids, times await map.get`),
    async cells(execPath) {
      const results = await measure(execPath, 'heldOut', { rounds });
      return [1, 1_000, 100_000].map((ids) =>
        [HYDRANT_USE, LRU_FETCH].map((name) => of(results[ids], name).ratio.toFixed(2)).join(' / '));
    },
  },
  memory: {
    columns: ['bytes per live entry', 'bytes per delivery after a minor collection, by hydrant / by hand'],
    async cells(execPath) {
      const entries = await measure(execPath, 'bytesPerEntry', {});
      const deliveries = await measure(execPath, 'survivors', {});
      return [
        of(entries, HYDRANT_USE).bytes.toFixed(0),
        [HANDLE_WEBHOOK, BY_HAND].map((name) => of(deliveries, name).bytes.toFixed(0)).join(' / '),
      ];
    },
  },
};

const only = option('only')?.split(',') ?? Object.keys(TABLES);
const rows = Object.fromEntries(only.map((name) => [name, []]));
for (const version of versions) {
  const execPath = pathOf(version);
  for (const name of only) {
    const row = `| ${[version, ...await TABLES[name].cells(execPath)].join(' | ')} |`;
    rows[name].push(row);
    console.log(row);
  }
}
for (const name of only) {
  const head = ['Node', ...TABLES[name].columns];
  console.log(`\n| ${head.join(' | ')} |\n|${head.map(() => '---|').join('')}\n${rows[name].join('\n')}`);
}

function pathOf(version) {
  const execPath = execFileSync('npx', ['--yes', '--package', `node@${version}`, '--', 'node', '-p', 'process.execPath'], {
    encoding: 'utf8',
  }).trim();
  const actual = execFileSync(execPath, ['--version'], { encoding: 'utf8' }).trim();
  if (actual !== `v${version}`) throw new Error(`expected Node ${version}, got ${actual}`);
  return execPath;
}

function measure(execPath, suite, options) {
  const child = fork(`${HERE}child.mjs`, [suite, JSON.stringify(options)], {
    execPath,
    execArgv: ['--expose-gc', ...(SUITES[suite].flags ?? [])],
  });
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`${suite} on ${execPath} ended with ${code}`)));
  });
}
