import { describe, expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { Harness, type Instance } from '../support/harness.js';

describe('G2 never disposed in use', () => {
  test('1000 ids through maxInstances 1: none is evicted before its first user has had it', async () => {
    const h = new Harness({ maxInstances: 1, maxConcurrentHydrations: 1000 });
    for (let id = 0; id < 1000; id += 1) h.rows.put(`c${id}`);
    const uses = Array.from({ length: 1000 }, (_, id) => h.registry.use(`c${id}`, async (instance) => {
      await Promise.resolve();
      expect(instance.disposed).toBeUndefined();
      return instance;
    }));
    await Promise.all(uses);
    await h.settle();
    expect(h.registry.snapshot().live).toBe(1);
    expect(h.instances.filter(({ disposed }) => disposed === undefined)).toHaveLength(1);
  });

  const endings: readonly { what: string; end: (h: Harness) => unknown }[] = [
    { what: 'evicted', end: async (h) => { h.rows.put('b'); await h.registry.use('b', () => {}); } },
    { what: 'replaced', end: async (h) => { h.rows.put('a'); await h.registry.use('a', () => {}); } },
    { what: 'stopped', end: async (h) => { h.rows.stop('a'); await h.registry.use('a', () => {}).catch(() => {}); } },
    { what: 'deleted', end: async (h) => { h.rows.delete('a'); await h.registry.use('a', () => {}).catch(() => {}); } },
    { what: 'invalidated', end: (h) => { void h.registry.invalidate('a'); } },
    { what: 'retired', end: (h) => h.contexts[0]?.retire(new Error('socket closed')) },
    { what: 'idle for long', end: (h) => h.clock.advance(10_000) },
    { what: 'closed', end: (h) => { void h.registry.close(); } },
  ];
  test.each(endings)('$what while in use: the instance is disposed of only after the last lease is released', async ({ end }) => {
    const h = new Harness({ maxInstances: 1, idleTimeoutMs: 1_000 });
    h.rows.put('a');
    const first = await h.registry.acquire('a');
    const second = await h.registry.acquire('a');
    await end(h);
    await h.settle();
    expect(first.instance.disposed).toBeUndefined();
    expect(first.signal.aborted).toBe(false);
    first.release();
    first.release();
    await h.settle();
    expect(second.instance.disposed).toBeUndefined();
    second.release();
    await h.clock.advance(10_000);
    if (end === endings[0]?.end) await h.registry.close();
    expect(second.instance.disposed).toBeDefined();
  });

  test('a use holds the instance before its continuation runs', async () => {
    const h = new Harness({ freshness: { maxStaleMs: Infinity } });
    h.rows.put('a');
    await h.registry.use('a', () => {});
    const lease = h.registry.acquire('a');
    h.registry.invalidate('a');
    expect((await lease).instance.disposed).toBeUndefined();
    expect((await lease).stale).toBe(true);
    (await lease).release();
    expect((await lease).instance.disposed).toBe('invalidated');
  });

  test('a waiter of a hydrate holds the instance before its promise settles', async () => {
    const h = new Harness();
    h.rows.put('a');
    const gate = h.holdCreate();
    const seen = h.registry.use('a', (instance) => instance.disposed);
    await h.settle();
    gate.resolve();
    h.registry.invalidate('a');
    expect(await seen).toBeUndefined();
    await h.settle();
    expect(h.log).toEqual(['create a@v1', 'dispose a@v1 invalidated']);
  });

  test('after the drain deadline the signal aborts, then the instance is disposed of and reported', async () => {
    const h = new Harness({ drainTimeoutMs: 5_000 });
    h.rows.put('a');
    const lease = await h.registry.acquire('a');
    let abortedBeforeDispose: boolean | undefined;
    lease.signal.addEventListener('abort', () => { abortedBeforeDispose = lease.instance.disposed === undefined; });
    h.registry.invalidate('a');
    await h.clock.advance(4_999);
    expect(lease.instance.disposed).toBeUndefined();
    await h.clock.advance(1);
    expect(abortedBeforeDispose).toBe(true);
    expect(lease.instance.disposed).toBe('invalidated');
    expect(h.eventsOf('disposed')).toEqual([{ id: 'a', version: 'v1', reason: 'invalidated', abandonedLeases: 1 }]);
    lease.release();
    await h.settle();
    expect(h.disposes).toBe(1);
  });

  test('a signal that is first read after the deadline is already aborted', async () => {
    const h = new Harness({ drainTimeoutMs: 0 });
    h.rows.put('a');
    const lease = await h.registry.acquire('a');
    h.registry.invalidate('a');
    await h.clock.advance(0);
    expect(lease.signal.aborted).toBe(true);
  });

  test('running work holds the instance, and use resolves with the result of the work', async () => {
    const h = new Harness();
    h.rows.put('a');
    const work = deferred<string>();
    let used: Instance | undefined;
    const use = h.registry.use('a', (instance) => { used = instance; return work.promise; });
    await h.settle();
    h.registry.invalidate('a');
    await h.settle();
    expect(used?.disposed).toBeUndefined();
    work.resolve('done');
    expect(await use).toBe('done');
    await h.settle();
    expect(used?.disposed).toBe('invalidated');
  });

  test('work that throws, synchronously or later, releases its lease', async () => {
    const h = new Harness();
    h.rows.put('a');
    await expect(h.registry.use('a', () => { throw new Error('at once'); })).rejects.toThrow('at once');
    await expect(h.registry.use('a', async () => { throw new Error('later'); })).rejects.toThrow('later');
    expect(h.registry.snapshot()).toMatchObject({ idle: 1, leased: 0 });
  });
});
