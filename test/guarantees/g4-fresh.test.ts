import { describe, expect, test } from 'vitest';
import type { ConnectionStore } from 'hydrant';
import { BatchedRows, Harness, Rows, type Row } from '../support/harness.js';
import { post } from '../support/webhooks.js';

const stores: readonly { what: string; makeRows: () => Rows }[] = [
  { what: 'a store with only get', makeRows: () => new Rows() },
  { what: 'a store with batched reads', makeRows: () => new BatchedRows() },
];

describe.each(stores)('G4 fresh, $what', ({ makeRows }) => {
  const open = (options: ConstructorParameters<typeof Harness>[0] = {}) => {
    const rows = makeRows();
    const h = new Harness({ ...options, store: rows });
    return { h, rows };
  };

  test('strict: a use sees every edit, stop, delete and recreate committed before it', async () => {
    const { h, rows } = open({ notFoundTtlMs: 0 });
    rows.put('a', { token: 'one' });
    const token = (): Promise<string> => h.registry.use('a', ({ row }) => row.token);
    expect(await token()).toBe('one');
    rows.put('a', { token: 'two' });
    expect(await token()).toBe('two');
    rows.stop('a');
    await expect(token()).rejects.toMatchObject({ code: 'CONNECTION_STOPPED' });
    rows.put('a', { token: 'three' });
    expect(await token()).toBe('three');
    rows.delete('a');
    await expect(token()).rejects.toMatchObject({ code: 'CONNECTION_NOT_FOUND' });
    rows.put('a', { token: 'four' });
    expect(await token()).toBe('four');
    await h.settle();
    expect(
      h.log
        .filter((line) => line.startsWith('dispose'))
        .map((line) => line.split(' ')[2])
        .toSorted(),
    ).toEqual(['deleted', 'replaced', 'stopped']);
  });

  test('bounded: no read within the bound, one beyond it, measured from when the read was sent', async () => {
    const { h, rows } = open({ freshness: { maxStaleMs: 1_000 }, sweepIntervalMs: 0 });
    rows.put('a', { token: 'one' });
    await h.registry.use('a', () => {});
    rows.put('a', { token: 'two' });
    await h.clock.advance(1_000);
    expect(await h.registry.use('a', ({ row }) => row.token)).toBe('one');
    await h.clock.advance(1);
    expect(await h.registry.use('a', ({ row }) => row.token)).toBe('two');
  });

  test('bounded: time spent creating counts towards the bound', async () => {
    const { h, rows } = open({ freshness: { maxStaleMs: 1_000 }, sweepIntervalMs: 0 });
    rows.put('a', { token: 'one' });
    const gate = h.holdCreate();
    const use = h.registry.use('a', ({ row }) => row.token);
    await h.clock.advance(5_000);
    rows.put('a', { token: 'two' });
    gate.resolve();
    expect(await use).toBe('one');
    expect(await h.registry.use('a', ({ row }) => row.token)).toBe('two');
  });

  test('a call may set its own freshness', async () => {
    const { h, rows } = open({ freshness: { maxStaleMs: Infinity }, sweepIntervalMs: 0 });
    rows.put('a', { token: 'one' });
    await h.registry.use('a', () => {});
    rows.put('a', { token: 'two' });
    expect(await h.registry.use('a', ({ row }) => row.token)).toBe('one');
    expect(h.registry.tryAcquire('a')?.record.token).toBe('one');
    expect(await h.registry.use('a', ({ row }) => row.token, { freshness: 'strict' })).toBe('two');
  });

  test('a use of an id that was just unknown is served as soon as its row exists', async () => {
    const { h, rows } = open({ notFoundTtlMs: 1_000 });
    const use = (): Promise<string> => h.registry.use('a', ({ name }) => name);
    await expect(use()).rejects.toMatchObject({ code: 'CONNECTION_NOT_FOUND', retryable: false });
    expect((await h.registry.handleWebhook('a', post())).status).toBe(404);
    rows.put('a');
    expect(await use()).toBe('a@v1#0');
    rows.delete('a');
    await expect(h.registry.acquire('a')).rejects.toMatchObject({ code: 'CONNECTION_NOT_FOUND' });
    rows.put('a');
    (await h.registry.acquire('a')).release();
  });
});

describe('G4 fresh', () => {
  test('tryAcquire returns undefined under strict', async () => {
    const h = new Harness();
    h.rows.put('a');
    await h.registry.use('a', () => {});
    expect(h.registry.tryAcquire('a')).toBeUndefined();
  });

  test('a use never relies on a read that was sent before the use began', async () => {
    const h = new Harness();
    h.rows.put('a', { token: 'one' });
    await h.registry.use('a', () => {});
    h.rows.hold();
    const early = h.registry.use('a', ({ row }) => row.token);
    await h.settle();
    h.rows.put('a', { token: 'two' });
    const late = h.registry.use('a', ({ row }) => row.token);
    await h.settle();
    h.rows.letGo();
    expect(await early).toBe('one');
    h.rows.letAllGo();
    expect(await late).toBe('two');
  });

  test('the late answer of an older read, beyond storeTimeoutMs, is dropped', async () => {
    const h = new Harness({ storeTimeoutMs: 1_000 });
    h.rows.put('a', { token: 'one' });
    await h.registry.use('a', () => {});
    h.rows.hold();
    const hung = h.registry.use('a', () => {});
    hung.catch(() => {});
    await h.clock.advance(1_000);
    await expect(hung).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
    const late = h.rows.held?.shift();
    h.rows.held = undefined;
    h.rows.put('a', { token: 'two' });
    expect(await h.registry.use('a', ({ row }) => row.token)).toBe('two');
    late?.resolve();
    await h.settle();
    expect(h.registry.snapshot().connections.map(({ version }) => version)).toEqual(['v2']);
  });

  test('a changed version only triggers a read of the row, and the row decides', async () => {
    const rows = new BatchedRows();
    let version = 'v1';
    const store: ConnectionStore<Row> = {
      get: (id) => rows.get(id),
      getVersions: async (ids) => new Map(ids.map((id) => [id, version])),
    };
    const h = new Harness({ store });
    rows.put('a');
    await h.registry.use('a', () => {});
    version = 'something else';
    await h.registry.use('a', () => {});
    expect(h.log).toEqual(['create a@v1']);
  });

  test('at most one version query per use, one in flight, and uses that arrive meanwhile share the next', async () => {
    const rows = new BatchedRows();
    const h = new Harness({ store: rows, maxInstances: 2_000, maxQueuedHydrations: 2_000 });
    const ids = Array.from({ length: 1_500 }, (_, index) => `c${index}`);
    for (const id of ids) rows.put(id);
    const useAll = (): Promise<void>[] => ids.map((id) => h.registry.use(id, () => {}));
    await Promise.all(useAll());
    rows.versionQueries = [];
    await Promise.all([...useAll(), ...useAll()]);
    expect(rows.versionQueries.map((query) => query.length)).toEqual([1_000, 500]);
    expect(h.creates).toBe(1_500);
  });

  test('two replicas over one store: the next use on one sees an edit made through the other', async () => {
    const rows = new Rows();
    const one = new Harness({ store: rows });
    const two = new Harness({ store: rows });
    rows.put('a', { token: 'one' });
    await Promise.all([one.registry.use('a', () => {}), two.registry.use('a', () => {})]);
    rows.put('a', { token: 'two' });
    expect(
      await Promise.all([one.registry.use('a', ({ row }) => row.token), two.registry.use('a', ({ row }) => row.token)]),
    ).toEqual(['two', 'two']);
  });

  test('staleIfErrorMs: a live instance keeps serving for that long while the store is unreachable, and no longer', async () => {
    const h = new Harness({ staleIfErrorMs: 30_000 });
    h.rows.put('a');
    await h.registry.use('a', () => {});
    h.rows.failure = new Error('connection refused');
    await h.clock.advance(30_000);
    await h.registry.use('a', () => {});
    await expect(h.registry.use('b', () => {})).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await h.clock.advance(1);
    await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    h.rows.failure = undefined;
    await h.registry.use('a', () => {});
    expect(h.creates).toBe(1);
  });

  test('without staleIfErrorMs an unreachable store fails the use, and the instance is kept', async () => {
    const h = new Harness();
    h.rows.put('a');
    await h.registry.use('a', () => {});
    const failure = new Error('connection refused');
    h.rows.failure = failure;
    await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', cause: failure });
    h.rows.failure = undefined;
    await h.registry.use('a', () => {});
    expect(h.log).toEqual(['create a@v1']);
    expect(h.eventsOf('storeFailed')).toEqual([{ error: failure }]);
  });
});
