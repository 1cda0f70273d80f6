import type { ChildProcess } from 'node:child_process';
import { Redis } from 'ioredis';
import { PostgresStore } from 'hydrant/postgres';
import { RedisStore } from 'hydrant/redis';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { databaseForTests } from '../support/databases.js';
import { startRedis } from '../support/redis.mjs';
import type { TestServer } from '../support/server.mjs';
import { startProxy, type Proxy } from '../exclusive/chaos/proxy.mjs';
import { bundleSources } from './bundle.js';
import { violations, type Report, type Write } from './history.js';
import { run, type Scenario, repeated } from './run.js';

// The long form: FRESHNESS_MS=600000 FRESHNESS_SEED=7 npm run proof:freshness, ten minutes for each scenario.
const durationMs = Number(process.env['FRESHNESS_MS'] ?? 3_000);
const seed = Number(process.env['FRESHNESS_SEED'] ?? 20261123);
const timeout = 30_000 + 2 * durationMs;

/** A run in which nothing happened proves nothing. */
function expectSubstance(writes: readonly Write[], reports: readonly Report[]): void {
  const uses = reports.flatMap((report) => report.uses);
  const count = (code: string | undefined): number => uses.filter((use) => use.code === code).length;
  const summary = {
    writes: writes.length,
    used: count(undefined),
    stopped: count('CONNECTION_STOPPED'),
    unknown: count('CONNECTION_NOT_FOUND'),
    unavailable: count('STORE_UNAVAILABLE'),
    created: reports.reduce((sum, { created }) => sum + created, 0),
  };
  process.stderr.write(`freshness, seed ${seed}: ${JSON.stringify(summary)}\n`);
  expect(summary.writes).toBeGreaterThan(60);
  expect(summary.used).toBeGreaterThan(150);
  expect(summary.stopped).toBeGreaterThan(10);
  expect(summary.unknown).toBeGreaterThan(10);
  for (const report of reports) expect(report.created).toBeGreaterThan(5);
}

const block = (replicas: readonly ChildProcess[]): unknown => replicas[0]?.send('block');
const exhaust = (replicas: readonly ChildProcess[]): unknown => replicas[1]?.send('exhaust');

/** Long enough for a silence to be noticed (5 s), and for uses after it. */
const SILENT_RUN_MS = 9_000;

/** After a silence every replica must be served again, and serve nothing old. */
function expectRecovery(reports: readonly Report[]): void {
  const last = reports.flatMap(({ uses }) => uses).reduce((latest, { begun }) => (begun > latest ? begun : latest), 0n);
  for (const { uses } of reports) {
    expect(uses.some(({ code }) => code === 'STORE_UNAVAILABLE'), 'the silence was felt').toBe(true);
    const late = uses.filter(({ begun, maxStaleMs }) => begun > last - 1_000_000_000n && maxStaleMs === undefined);
    // How many there are depends on the machine. One strict use cannot succeed without an answer of the store.
    expect(late.filter(({ code }) => code === undefined).length, 'strict uses in the last second').toBeGreaterThan(0);
    expect(late.filter(({ code }) => code === 'STORE_UNAVAILABLE')).toEqual([]);
  }
}

let bundle: Awaited<ReturnType<typeof bundleSources>>;
beforeAll(async () => { bundle = await bundleSources(); });
afterAll(() => bundle[Symbol.asyncDispose]());

describe('G4 fresh, across four processes on PostgreSQL', () => {
  const database = databaseForTests();
  const { pool } = database;
  let store: PostgresStore<{ n: number }>;
  beforeAll(async () => {
    store = new PostgresStore<{ n: number }>({ client: pool });
    await store.migrate();
  });
  beforeEach(() => pool.query('delete from hydrant_connections'));

  const scenario = (change: Partial<Scenario>): Scenario => ({
    bundle: bundle.folder,
    kind: 'postgres',
    url: database.url,
    store,
    seed,
    durationMs,
    hints: 'on',
    ...change,
  });
  const cutListeners = (): Promise<unknown> =>
    pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'listener'
        and datname = current_database()`,
    );

  test('with hints, while LISTEN connections are cut, a pool is exhausted and an event loop blocked', async () => {
    const { writes, reports } = await run(scenario({ faults: [cutListeners, block, exhaust, cutListeners, block] }));
    expectSubstance(writes, reports);
    expect(violations(writes, reports)).toEqual([]);
  }, timeout);

  test('with hints of which half are lost', async () => {
    const { writes, reports } = await run(scenario({ hints: 'dropped', faults: [cutListeners] }));
    expectSubstance(writes, reports);
    expect(violations(writes, reports)).toEqual([]);
  }, timeout);

  test('without hints', async () => {
    const { writes, reports } = await run(scenario({ hints: 'off', faults: [block, exhaust] }));
    expectSubstance(writes, reports);
    expect(violations(writes, reports)).toEqual([]);
  }, timeout);

  test('with documented clients, while every connection goes silent', async () => {
    const url = new URL(database.url);
    const proxy: Proxy = await startProxy(Number(url.port), url.hostname);
    Object.assign(url, { hostname: '127.0.0.1', port: String(proxy.port) });
    const faults = [() => proxy.silence(), () => {}, () => {}];
    const { writes, reports } = await run(scenario({ url: url.href, faults, durationMs: SILENT_RUN_MS }));
    proxy.close();
    expectRecovery(reports);
    expect(violations(writes, reports)).toEqual([]);
  }, timeout + SILENT_RUN_MS);

  test.each(['table', 'hash'] as const)(
    "on a table of the application, with versions %s, while hydrant's objects are dropped and made again",
    async (versions) => {
      const mapped = new PostgresStore<{ n: number }>({
        client: pool,
        table: 'bots',
        columns: { config: ['n'] },
        versions,
        mapRow: ({ n }) => ({ n: n as number }),
        toRow: ({ n }) => ({ n }),
      });
      await pool.query(
        `drop table if exists bots; create table bots (id text primary key, status text not null default 'active',
          n int not null, noted timestamptz)`,
      );
      await mapped.migrate();
      const damage = (): Promise<unknown> => repeated(() => pool.query('drop schema if exists hydrant cascade'));
      const repair = (): Promise<unknown> => repeated(() => mapped.migrate());
      const note = (): Promise<unknown> => pool.query('update bots set noted = now()').then(() => pool.query('vacuum full bots'));
      const faults = [damage, cutListeners, repair, note, block];
      const { writes, reports } = await run(
        scenario({ store: mapped, versions, hints: versions === 'table' ? 'on' : 'off', faults }),
      );
      expectSubstance(writes, reports);
      expect(violations(writes, reports)).toEqual([]);
    },
    timeout,
  );

  test('a registry that skips reads fails this check', async () => {
    const { writes, reports } = await run(scenario({ hints: 'off', pretendStrictMs: 100, durationMs: 2_000 }));
    expect(violations(writes, reports).filter((violation) => violation.includes('strict')).length).toBeGreaterThan(0);
  }, timeout);

  test('a registry that lets a use join a read already on the wire fails this check', async () => {
    await using mutated = await bundleSources({
      in: 'Reader.request',
      find: 'if (reads.next === undefined) {',
      replace: 'if (reads.wire?.kind === kind && waiter !== undefined) return void reads.wire.waiters.push(waiter); '
        + 'if (reads.next === undefined) {',
    });
    const { writes, reports } = await run(
      scenario({ bundle: mutated.folder, hints: 'off', answerDelayMs: 25, durationMs: 2_500 }),
    );
    expect(violations(writes, reports).filter((violation) => violation.includes('strict')).length).toBeGreaterThan(0);
  }, timeout);

  test('the unchanged registry passes with the same slow store', async () => {
    const { writes, reports } = await run(scenario({ hints: 'on', answerDelayMs: 25, durationMs: 2_500 }));
    expect(violations(writes, reports)).toEqual([]);
  }, timeout);
});

describe.skipIf(inject('redisUrl') === undefined)('G4 fresh, across four processes on Redis', () => {
  let server: TestServer;
  let client: Redis;
  let store: RedisStore<{ n: number }>;
  beforeAll(async () => {
    server = await startRedis({ own: true });
    client = new Redis(server.url, { maxRetriesPerRequest: null, retryStrategy: () => 20 });
    client.on('error', () => {});
    store = new RedisStore<{ n: number }>({ client, prefix: '{fresh}:' });
  });
  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });
  beforeEach(() => client.flushall());

  const restart = async (): Promise<void> => { await server.halt('SIGKILL'); await server.resume(); };
  const scenario = (change: Partial<Scenario>): Scenario => ({
    bundle: bundle.folder,
    kind: 'ioredis',
    url: server.url,
    prefix: '{fresh}:',
    store,
    seed,
    durationMs,
    hints: 'on',
    ...change,
  });

  test('with hints, while Redis is killed and restarted and an event loop blocked', async () => {
    const { writes, reports } = await run(scenario({ faults: [restart, block, restart] }));
    expectSubstance(writes, reports);
    expect(violations(writes, reports)).toEqual([]);
  }, timeout);

  test('with hints of which half are lost', async () => {
    const { writes, reports } = await run(
      scenario({ hints: 'dropped', faults: [() => client.client('KILL', 'TYPE', 'pubsub')] }),
    );
    expectSubstance(writes, reports);
    expect(violations(writes, reports)).toEqual([]);
  }, timeout);

  test.each(['ioredis', 'node-redis'] as const)(
    'with documented clients of %s, while every connection goes silent',
    async (kind) => {
      const proxy: Proxy = await startProxy(server.port);
      const faults = [() => proxy.silence(), () => {}, () => {}];
      const { writes, reports } = await run(
        scenario({ kind, url: `redis://127.0.0.1:${proxy.port}`, faults, durationMs: SILENT_RUN_MS }),
      );
      proxy.close();
      expectRecovery(reports);
      expect(violations(writes, reports)).toEqual([]);
    },
    timeout + SILENT_RUN_MS,
  );
});
