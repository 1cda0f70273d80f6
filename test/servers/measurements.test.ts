import { monitorEventLoopDelay } from 'node:perf_hooks';
import pg from 'pg';
import { ConnectionRegistry, type ConnectionStore } from 'hydrant';
import { PostgresStore, type PostgresClient, type PostgresStoreOptions } from 'hydrant/postgres';
import { RecordingFactory } from 'hydrant/testing';
import { describe, expect, test } from 'vitest';
import { GivenHints } from '../support/given-hints.js';
import { createDatabase, openPool } from './support/databases.js';
import { GATEWAY_MAPPING, GATEWAY_TABLE, type GatewayConnection } from './support/gateway-table.js';
import { startPostgres } from './support/postgres.mjs';

// With MEASURE=1, on a machine that does nothing else, times are held to the goals as well, and the outage takes 10 s.
const measuring = process.env['MEASURE'] === '1';
const sleep = (ms: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, ms); });
const print = (what: string, figures: object): void =>
  void process.stderr.write(`measured: ${what}: ${JSON.stringify(figures)}\n`);
const percentile = (values: readonly number[], p: number): number =>
  Number((values.toSorted((a, b) => a - b)[Math.floor(values.length * p)] ?? 0).toFixed(2));

/** Counts queries, and how many were under way at once. */
function counting(pool: pg.Pool): PostgresClient & { queries: number; underway: number; peak: number } {
  const counter = {
    queries: 0, underway: 0, peak: 0,
    async query(text: string, values?: unknown[]) {
      counter.queries += 1;
      counter.underway += 1;
      counter.peak = Math.max(counter.peak, counter.underway);
      try {
        return await pool.query(text, values);
      } finally {
        counter.underway -= 1;
      }
    },
  };
  return counter;
}

const insert = (pool: pg.Pool, count: number): Promise<unknown> =>
  pool.query(`insert into hydrant_connections (id) select 'c' || n from generate_series(0, ${count - 1}) n`);

describe('queries per use', () => {
  test('bursts over 500 connections: a tenth as many queries as uses, a thirtieth with { maxStaleMs: 1000 }', async () => {
    await using database = await createDatabase();
    const pool = openPool(database.url, 10);
    const client = counting(pool);
    const store = new PostgresStore({ client });
    await store.migrate();
    await insert(pool, 500);
    const registry = new ConnectionRegistry({ store, factory: new RecordingFactory(), sweepIntervalMs: 0 });
    await Promise.all(Array.from({ length: 500 }, (_, n) => registry.use(`c${n}`, () => {})));

    for (const { freshness, fewer } of [
      { freshness: 'strict', fewer: 10 },
      { freshness: { maxStaleMs: 1_000 }, fewer: 30 },
    ] as const) {
      client.queries = 0;
      const latencies: number[] = [];
      const uses: Promise<void>[] = [];
      const start = performance.now();
      const USES_PER_MS = 10;
      const BURST = 100;
      for (let n = 0; n < 10_000; n += 1) {
        if (n % BURST === 0) await sleep(Math.max(0, start + n / USES_PER_MS - performance.now()));
        const sent = performance.now();
        uses.push(
          registry.use(
            `c${(n * 7) % 500}`,
            () => {
              latencies.push(performance.now() - sent);
            },
            { freshness },
          ),
        );
      }
      await Promise.all(uses);
      print(`10 000 uses/s, ${JSON.stringify(freshness)}`, {
        uses: uses.length,
        queries: client.queries,
        fewer: Math.round(uses.length / client.queries),
        p50: percentile(latencies, 0.5),
        p99: percentile(latencies, 0.99),
      });
      expect(uses.length / client.queries).toBeGreaterThanOrEqual(fewer);
      if (measuring) expect(percentile(latencies, 0.5)).toBeLessThanOrEqual(2);
    }

    client.queries = 0;
    for (let n = 0; n < 100; n += 1) await registry.use(`c${n}`, () => {});
    expect(client.queries).toBeLessThanOrEqual(100);
    await registry.close();
    await pool.end();
  });
});

describe('an outage of the database under load', () => {
  test('with staleIfErrorMs live connections go on, without it they answer 503; no herd afterwards', async () => {
    const server = await startPostgres({ own: true });
    const pools = [openPool(server.url, 10), openPool(server.url, 10)];
    try {
      const clients = pools.map(counting);
      const stores = clients.map((client) => new PostgresStore<{ n: number }>({ client }));
      await stores[0]?.migrate();
      await insert(pools[0] as pg.Pool, 200);
      // The server commits asynchronously here, and is about to be killed.
      await pools[0]?.query('checkpoint');
      const registries = stores.map(
        (store, n) =>
          new ConnectionRegistry({
            store,
            sweepIntervalMs: 500,
            storeTimeoutMs: 500,
            staleIfErrorMs: n === 0 ? 30_000 : 0,
            notFoundTtlMs: 0,
            factory: { create: ({ id }) => id, authenticate: () => true, handleWebhook: (id: string) => new Response(id) },
          }),
      );
      for (const registry of registries) {
        registry.on('storeFailed', () => {});
        registry.on('webhookFailed', () => {});
        await Promise.all(Array.from({ length: 200 }, (_, n) => registry.use(`c${n}`, () => {})));
      }
      const statuses = registries.map(() => new Map<string, number>());
      const load = { on: true, phase: 'before' };
      const drive = async (registry: ConnectionRegistry<never, never>, counts: Map<string, number>): Promise<void> => {
        for (let n = 0; load.on; n += 1) {
          const { phase } = load;
          const response = await registry.handleWebhook(
            `c${(n * 7) % 200}`,
            new Request('https://example.test/', { method: 'POST', body: 'x' }),
          );
          const key = `${phase} ${response.status}${response.headers.has('retry-after') ? ' Retry-After' : ''}`;
          if (phase === load.phase) counts.set(key, (counts.get(key) ?? 0) + 1);
          await sleep(2);
        }
      };
      const drivers = registries.flatMap((registry, n) =>
        Array.from({ length: 20 }, () => drive(registry as never, statuses[n] as Map<string, number>)),
      );
      const outageMs = measuring ? 10_000 : 2_500;
      await sleep(300);
      load.phase = 'failing';
      await server.halt('SIGKILL');
      await sleep(700);
      load.phase = 'during';
      await sleep(outageMs - 700);
      load.phase = 'recovering';
      clients.forEach((client) => {
        client.peak = 0;
      });
      await server.resume();
      await sleep(1_500);
      const { version } = await (stores[0] as PostgresStore<{ n: number }>).put({ id: 'c1', n: 2 });
      load.phase = 'after';
      for (const registry of registries) await registry.use('c1', (_id, lease) => expect(lease.record.version).toBe(version));
      await sleep(300);
      load.on = false;
      await Promise.all(drivers);
      const [tolerant, strict] = statuses.map((counts) => Object.fromEntries(counts));
      print('outage', { outageMs, tolerant, strict, peakOfQueries: clients.map(({ peak }) => peak) });
      expect(
        Object.keys(tolerant ?? {})
          .filter((key) => /^(before|during|after)/.test(key))
          .toSorted(),
      ).toEqual(['after 200', 'before 200', 'during 200']);
      expect(
        Object.keys(strict ?? {})
          .filter((key) => /^(before|during|after)/.test(key))
          .toSorted(),
      ).toEqual(['after 200', 'before 200', 'during 503 Retry-After']);
      const oneOfVersionsAnd32OfRows = 33;
      for (const { peak } of clients) expect(peak).toBeLessThanOrEqual(oneOfVersionsAnd32OfRows);
      await Promise.all(registries.map((registry) => registry.close()));
    } finally {
      await Promise.all(pools.map((pool) => pool.end()));
      await server.stop();
    }
  }, 60_000);
});

describe('100 000 connections in the store, 10 000 live', () => {
  test('the check after a gap stays chunked and leaves the event loop its turns', async () => {
    await using database = await createDatabase();
    const pool = openPool(database.url, 4);
    const inner = new PostgresStore({ client: pool });
    await inner.migrate();
    await insert(pool, 100_000);
    const hints = new GivenHints();
    const chunks: number[] = [];
    const store: ConnectionStore = {
      get: (id) => inner.get(id),
      getMany: (ids) => inner.getMany(ids),
      getVersions(ids) { chunks.push(ids.length); return inner.getVersions(ids); },
      watch: hints.watch,
    };
    const registry = new ConnectionRegistry({
      store,
      factory: { create: ({ id }) => ({ id }) },
      maxInstances: 20_000,
      sweepIntervalMs: 0,
      maxQueuedHydrations: 20_000,
    });
    for (let from = 0; from < 10_000; from += 1_000)
      await Promise.all(Array.from({ length: 1_000 }, (_, n) => registry.use(`c${(from + n) * 10}`, () => {})));
    expect(registry.snapshot().live).toBe(10_000);
    await pool.query(`delete from hydrant_connections where id in ('c0', 'c10')`);

    chunks.length = 0;
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const start = performance.now();
    hints.gap();
    await expect
      .poll(() => chunks.reduce((sum, size) => sum + size, 0), { timeout: 20_000, interval: 5 })
      .toBeGreaterThanOrEqual(10_000);
    await expect.poll(() => registry.snapshot().live, { timeout: 20_000, interval: 50 }).toBe(9_998);
    delay.disable();
    const p99 = delay.percentile(99) / 1e6;
    print('gap with 10 000 live', {
      queries: chunks.length,
      largest: Math.max(...chunks),
      ms: Math.round(performance.now() - start),
      loopDelayP99: Number(p99.toFixed(2)),
    });
    expect(Math.max(...chunks)).toBeLessThanOrEqual(1_000);
    if (measuring) expect(p99).toBeLessThan(20);
    await registry.close();
    await pool.end();
  }, 60_000);
});

describe('versions of 1 000 rows', () => {
  test('cost at most a fifth more than reading a version column did in 0.1.0', async () => {
    await using database = await createDatabase();
    const pool = openPool(database.url, 1);
    await pool.query(`${GATEWAY_TABLE}; alter table chat_connections add column rev bigint not null default 0`);
    await pool.query(`insert into chat_connections (id, config)
      select 'c' || n, jsonb_build_object('value', n::text, 'token', repeat(md5(n::text), 8))
      from generate_series(1, 20000) n`);
    await pool.query('vacuum analyze chat_connections');
    // The query of 0.1.0. Its column had another name there, but migrate() drops a column of that name.
    const old = `select "id"::text as "hydrant:id", "rev"::text as "hydrant:version" from "chat_connections"
      where "id" = any($1::text[]) and (deleted_at is null) is true`;
    await new PostgresStore<GatewayConnection>({ client: pool, ...GATEWAY_MAPPING }).migrate();
    const reads = {
      old: async (ids: readonly string[]) =>
        new Map(
          (await pool.query<Record<string, string>>(old, [ids])).rows.map((row) => [row['hydrant:id'], row['hydrant:version']]),
        ).size,
      table: byVersions(pool, {}),
      hash: byVersions(pool, { versions: 'hash' }),
      column: byVersions(pool, { versions: { column: 'rev' } }),
    };
    type Kind = keyof typeof reads;
    const kinds = Object.keys(reads) as Kind[];
    const ids = Array.from({ length: 20 }, (_batch, batch) =>
      Array.from({ length: 1_000 }, (_row, n) => `c${batch + 20 * n + 1}`),
    );
    const times: Record<Kind, number[]> = { old: [], table: [], hash: [], column: [] };
    let turn = 0;
    for (let round = 0; round < (measuring ? 12 : 3); round += 1) {
      const cachesAreFull = round > 0;
      for (const batch of ids) {
        // In changing order, because the garbage of one is collected in the time of the next.
        turn += 1;
        const rotated = [...kinds.slice(turn % kinds.length), ...kinds.slice(0, turn % kinds.length)];
        for (const kind of turn % 2 === 0 ? rotated : rotated.toReversed()) {
          const start = performance.now();
          expect(await reads[kind](batch)).toBe(1_000);
          if (cachesAreFull) times[kind].push(performance.now() - start);
        }
      }
    }
    const median = (kind: Kind): number => percentile(times[kind], 0.5);
    const ratios = Object.fromEntries(kinds.map((kind) => [kind, Number((median(kind) / median('old')).toFixed(2))]));
    print('versions of 1 000 rows', { oldMs: median('old'), ...ratios });
    if (measuring) for (const ratio of Object.values(ratios)) expect(ratio).toBeLessThanOrEqual(1.2);
    await pool.end();
  }, 120_000);
});

function byVersions(
  client: pg.Pool,
  options: Partial<PostgresStoreOptions<GatewayConnection>>,
): (ids: readonly string[]) => Promise<number> {
  const store = new PostgresStore<GatewayConnection>({ client, ...GATEWAY_MAPPING, ...options });
  return async (ids) => (await store.getVersions(ids)).size;
}
