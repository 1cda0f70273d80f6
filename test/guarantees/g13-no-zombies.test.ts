import { describe, expect, test } from 'vitest';
import { Harness, Rows, WatchedRows } from '../support/harness.js';
import { post, seen } from '../support/webhooks.js';

describe('G13 no zombies', () => {
  test('one sweep disposes of the idle instance of a stopped or deleted connection', async () => {
    const h = new Harness({ sweepIntervalMs: 60_000, freshness: { maxStaleMs: Infinity }, idleTimeoutMs: Infinity });
    for (const id of ['a', 'b', 'c', 'd']) { h.rows.put(id); await h.registry.use(id, () => {}); }
    const lease = await h.registry.acquire('d');
    h.rows.stop('a');
    h.rows.delete('b');
    h.rows.delete('d');
    await h.clock.advance(59_999);
    expect(h.disposes).toBe(0);
    await h.clock.advance(1);
    expect(h.log.filter((line) => line.startsWith('dispose')).toSorted()).toEqual([
      'dispose a@v1 stopped',
      'dispose b@v2 deleted',
    ]);
    expect(lease.stale).toBe(true);
    expect(lease.instance.disposed).toBeUndefined();
    expect(h.registry.snapshot()).toMatchObject({ idle: 1, draining: 1 });
  });

  test('after an edit, a sweep disposes of the old instance and hydrates nothing', async () => {
    const h = new Harness();
    h.rows.put('a');
    await h.registry.use('a', () => {});
    h.rows.put('a');
    await h.clock.advance(60_000);
    expect(h.log).toEqual(['create a@v1', 'dispose a@v1 replaced']);
  });

  test('a sweep in chunks checks every connection', async () => {
    const h = new Harness({ maxInstances: 5_000, maxQueuedHydrations: 5_000 });
    for (let id = 0; id < 2_500; id += 1) h.rows.put(`c${id}`);
    await Promise.all(Array.from({ length: 2_500 }, (_, id) => h.registry.use(`c${id}`, () => {})));
    for (let id = 0; id < 2_500; id += 1) h.rows.stop(`c${id}`);
    await h.clock.advance(60_000);
    for (let turn = 0; turn < 5; turn += 1) await h.settle();
    expect(h.registry.snapshot().live).toBe(0);
  });

  test('sweeps continue after the store was unreachable', async () => {
    const h = new Harness();
    h.rows.put('a');
    await h.registry.use('a', () => {});
    h.rows.failure = new Error('down');
    await h.clock.advance(60_000);
    h.rows.failure = undefined;
    h.rows.stop('a');
    await h.clock.advance(60_000);
    expect(h.log.at(-1)).toBe('dispose a@v1 stopped');
  });

  test('0 turns sweeps off, and a sweep timer never keeps the process alive', async () => {
    const off = new Harness({ sweepIntervalMs: 0 });
    expect(off.clock.pendingTimers).toBe(0);
    const on = new Harness();
    expect(on.clock.pendingTimers).toBe(1);
    expect(on.clock.pendingRefTimers).toBe(0);
  });

  const watched = async () => {
    const rows = new WatchedRows();
    const h = new Harness({ store: rows, freshness: { maxStaleMs: Infinity }, sweepIntervalMs: 0, idleTimeoutMs: Infinity });
    await h.settle();
    return { h, rows, hints: rows.hints };
  };

  test('a hint disposes of a zombie at once', async () => {
    const { h, rows, hints } = await watched();
    rows.put('a');
    await h.registry.use('a', () => {});
    rows.stop('a');
    hints.changed(['a', 'never heard of']);
    await h.settle();
    expect(h.log.at(-1)).toBe('dispose a@v1 stopped');
    expect(rows.reads).not.toContain('never heard of');
  });

  test('after a hint, an unknown id is read again', async () => {
    const { h, rows, hints } = await watched();
    const webhook = async () => seen(await h.registry.handleWebhook('a', post()));
    expect(await webhook()).toMatchObject({ code: 'CONNECTION_NOT_FOUND' });
    rows.put('a');
    expect(await webhook()).toMatchObject({ code: 'CONNECTION_NOT_FOUND' });
    hints.changed(['a']);
    expect(await webhook()).toMatchObject({ code: 'NO_WEBHOOK_HANDLER' });
  });

  test('a gap re-validates every live connection and forgets unknown ids', async () => {
    const { h, rows, hints } = await watched();
    for (const id of ['a', 'b']) { rows.put(id); await h.registry.use(id, () => {}); }
    const webhook = async () => seen(await h.registry.handleWebhook('c', post()));
    expect(await webhook()).toMatchObject({ code: 'CONNECTION_NOT_FOUND' });
    rows.put('a');
    rows.delete('b');
    rows.put('c');
    hints.gap();
    await h.settle();
    expect(h.log.slice(-2).toSorted()).toEqual(['dispose a@v1 replaced', 'dispose b@v2 deleted']);
    expect(await webhook()).toMatchObject({ code: 'NO_WEBHOOK_HANDLER' });
  });

  test('a subscription that fails is reported and retried', async () => {
    let attempts = 0;
    const rows = new Rows();
    const h = new Harness({
      store: {
        get: (id) => rows.get(id),
        watch: async () => {
          attempts += 1;
          if (attempts < 3) throw new Error('no route');
          return { [Symbol.asyncDispose]: async () => {} };
        },
      },
    });
    await h.clock.advance(10_000);
    expect(attempts).toBe(3);
    expect(h.eventsOf('storeFailed')).toHaveLength(2);
    await h.registry.close();
    expect(h.clock.pendingTimers).toBe(0);
  });
});
