// One replica of the freshness check: a process of its own that uses connections until told to finish.
import { createRequire } from 'node:module';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { join } from 'node:path';
import pg from 'pg';
import { pathToFileURL } from 'node:url';

const { bundle, kind, url, prefix, ids, seed, replica, hints, maxStaleMs, pretendStrictMs, answerDelayMs, versions } = JSON.parse(
  process.argv[2],
);
const load = (path) => import(pathToFileURL(join(bundle, path)).href);
const [{ ConnectionRegistry }, { PostgresStore }, { RedisStore }] = await Promise.all([
  load('index.mjs'),
  load('stores/postgres/index.mjs'),
  load('stores/redis/index.mjs'),
]);
const { Redis } = createRequire(import.meta.url)('ioredis');
const { createClient } = createRequire(import.meta.url)('redis');

/** mulberry32: the same seed makes the same choices. */
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
let state = seed;

const watch = { pingIntervalMs: 500, timeoutMs: 500, backoff: { initialMs: 20, maxMs: 200 } };
const pool = kind === 'postgres' ? new pg.Pool({ connectionString: url, max: 4 }) : undefined;
pool?.on('error', () => {});
// The options that README shows, and no others.
const clients = { ioredis: () => new Redis(url), 'node-redis': () => createClient({ url }) };
const redis = clients[kind]?.();
redis?.on('error', () => {});
if (kind === 'node-redis') await redis.connect();
const inner =
  pool === undefined
    ? new RedisStore({ client: redis, prefix, watch: hints === 'off' ? false : watch })
    : new PostgresStore({
        client: pool,
        ...(versions && { table: 'bots', columns: { config: ['n'] }, mapRow: ({ n }) => ({ n }), versions }),
        ...(hints === 'off'
          ? {}
          : { watch, listenClient: () => new pg.Client({ connectionString: url, application_name: 'listener' }) }),
      });

const delayed = async (answer) => {
  const value = await answer;
  if (answerDelayMs > 0) await new Promise((resolve) => setTimeout(resolve, answerDelayMs));
  return value;
};
const store = {
  get: (id, options) => delayed(inner.get(id, options)),
  getMany: (these, options) => delayed(inner.getMany(these, options)),
  getVersions: (these, options) => delayed(inner.getVersions(these, options)),
  ...(inner.watch && {
    watch: (listener) => inner.watch({
      gap: () => listener.gap(),
      changed: (changed) => { if (hints !== 'dropped' || random() < 0.5) listener.changed(changed); },
    }),
  }),
};

const instances = [];
const misused = [];
const registry = new ConnectionRegistry({
  store,
  factory: {
    create(record) {
      const instance = { version: String(record.version), disposals: 0 };
      instances.push(instance);
      return instance;
    },
    dispose: (instance) => {
      instance.disposals += 1;
    },
  },
  notFoundTtlMs: 0,
  storeTimeoutMs: 1_000,
  acquireTimeoutMs: 5_000,
  maxInstances: Math.ceil(ids.length / 2),
  idleTimeoutMs: 300,
  sweepIntervalMs: 400,
});
for (const event of ['storeFailed', 'hydrationFailed', 'disposeFailed']) registry.on(event, () => {});

const uses = [];
const progress = { finishing: false };
async function use() {
  const id = ids[Math.floor(random() * ids.length)];
  const bound = random() < 0.5 ? undefined : maxStaleMs;
  const begun = process.hrtime.bigint();
  let version;
  let code;
  try {
    version = await registry.use(id, async (instance, lease) => {
      if (instance.version !== String(lease.record.version) || instance.disposals > 0)
        misused.push(`replica ${replica}: ${id} used at another version, or after its end`);
      const seen = String(lease.record.version);
      if (random() < 0.3) await new Promise((resolve) => setTimeout(resolve, 10 * random()));
      if (instance.disposals > 0) misused.push(`replica ${replica}: ${id} disposed of in use`);
      return seen;
    }, { freshness: bound === undefined && pretendStrictMs === 0 ? 'strict' : { maxStaleMs: bound ?? pretendStrictMs } });
  } catch (error) {
    code = error.code ?? String(error);
  }
  uses.push({ id, replica, begun: String(begun), ended: String(process.hrtime.bigint()), maxStaleMs: bound, version, code });
}
async function work() {
  while (!progress.finishing) {
    await use();
    await new Promise((resolve) => setTimeout(resolve, 1 + 8 * random()));
  }
}

const turns = monitorEventLoopDelay({ resolution: 5 });
turns.enable();
const workers = Array.from({ length: 6 }, work);
process.on('message', async (message) => {
  if (message === 'block') {
    const until = performance.now() + 250;
    while (performance.now() < until);
  }
  if (message === 'exhaust') {
    const held = await Promise.all(Array.from({ length: 4 }, () => pool.connect().catch(() => undefined)));
    setTimeout(() => held.forEach((client) => client?.release()), 1_500);
  }
  if (message === 'finish') {
    progress.finishing = true;
    await Promise.all(workers);
    await registry.close({ drainTimeoutMs: 5_000 });
    await pool?.end();
    if (kind === 'node-redis') redis.destroy();
    else redis?.disconnect();
    process.send(
      {
        uses,
        misused,
        created: instances.length,
        disposedOnce: instances.filter(({ disposals }) => disposals === 1).length,
        longestTurnMs: turns.max / 1e6,
      },
      () => process.disconnect(),
    );
  }
});
process.send('ready');
