import { describe, expect, test } from 'vitest';
import { Harness, WatchedRows } from '../support/harness.js';
import { post, webhookHarness } from '../support/webhooks.js';

describe('reads that no caller waits for any more', () => {
  test('are not sent', async () => {
    const h = new Harness();
    h.rows.hold();
    const uses = Array.from({ length: 500 }, (_, id) =>
      h.registry.use(`x${id}`, () => 1, { timeoutMs: 100 }).catch((error: { code: string }) => error.code),
    );
    await h.clock.advance(100);
    await Promise.all(uses);
    h.rows.letAllGo();
    await h.settle();
    expect(h.rows.reads).toHaveLength(32);
  });

  test('delay no use after a flood on a slow store', async () => {
    const h = new Harness();
    h.rows.put('a');
    h.rows.hold();
    const uses = Array.from({ length: 2_000 }, (_, id) => h.registry.use(`x${id}`, () => 1, { timeoutMs: 100 }).catch(() => {}));
    await h.clock.advance(100);
    await Promise.all(uses);
    const { rows } = h;
    rows.get = async (id) => id === 'a' ? rows.rows.get(id) : new Promise(() => {});
    const use = h.registry.use('a', () => 'served');
    await h.clock.advance(30_000);
    expect(await use).toBe('served');
  });

  test('are not sent for webhooks that have timed out', async () => {
    const h = webhookHarness({ acquireTimeoutMs: 1_000, storeTimeoutMs: 60_000 });
    h.rows.hold();
    const deliveries = Array.from({ length: 100 }, (_, id) => h.registry.handleWebhook(`x${id}`, post()));
    await h.clock.advance(1_000);
    expect(new Set((await Promise.all(deliveries)).map(({ status }) => status))).toEqual(new Set([503]));
    h.rows.letAllGo();
    await h.settle();
    expect(h.rows.reads).toHaveLength(32);
  });

  test('are not sent once the registry closes', async () => {
    const h = new Harness({ maxQueuedHydrations: 1_000 });
    for (let id = 0; id < 200; id += 1) h.rows.put(`c${id}`);
    await Promise.all(Array.from({ length: 200 }, (_, id) => h.registry.use(`c${id}`, () => {})));
    h.rows.reads.length = 0;
    h.rows.hold();
    await h.clock.advance(60_000);
    expect(h.rows.reads).toHaveLength(32);
    await h.registry.close();
    h.rows.letAllGo();
    await h.settle();
    expect(h.rows.reads).toHaveLength(32);
  });
});

test('a store whose get throws synchronously is unavailable for each of thousands of ids', async () => {
  const h = new Harness({ store: { get: () => { throw new Error('pool is closed'); } } });
  const uses = Array.from({ length: 5_000 }, (_, id) =>
    h.registry.use(`x${id}`, () => 1, { timeoutMs: 1_000 }).catch((error: { code: string }) => error.code),
  );
  await h.settle();
  await h.clock.advance(1_000);
  expect(new Set(await Promise.all(uses))).toEqual(new Set(['STORE_UNAVAILABLE']));
});

describe('a hint that comes while the row is first read', () => {
  test('is not lost', async () => {
    const store = new WatchedRows();
    const h = new Harness({ store, freshness: { maxStaleMs: 3_600_000 }, sweepIntervalMs: 0 });
    await h.settle();
    store.put('a');
    store.hold();
    const use = h.registry.use('a', ({ row }) => row.version);
    await h.settle();
    store.put('a');
    store.hints.changed(['a']);
    store.letAllGo();
    expect(await use).toBe('v1');
    await h.settle();
    expect(await h.registry.use('a', ({ row }) => row.version)).toBe('v2');
  });

  test('is not lost for an id that was just created', async () => {
    const store = new WatchedRows();
    const h = new Harness({ store });
    await h.settle();
    store.hold();
    const use = h.registry.use('a', ({ row }) => row.version);
    use.catch(() => {});
    await h.settle();
    store.put('a');
    store.hints.changed(['a']);
    store.letAllGo();
    await expect(use).rejects.toMatchObject({ code: 'CONNECTION_NOT_FOUND' });
    expect(await h.registry.use('a', ({ row }) => row.version)).toBe('v1');
  });
});
