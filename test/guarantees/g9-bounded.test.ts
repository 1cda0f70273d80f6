import { describe, expect, test } from 'vitest';
import { Harness } from '../support/harness.js';

describe('G9 bounded', () => {
  test('idle instances are evicted, least recently used first, while idle and leased exceed maxInstances', async () => {
    const h = new Harness({ maxInstances: 3 });
    for (const id of ['a', 'b', 'c', 'd', 'e']) h.rows.put(id);
    for (const id of ['a', 'b', 'c', 'b', 'a']) await h.registry.use(id, () => {});
    await h.registry.use('d', () => {});
    await h.registry.use('e', () => {});
    await h.settle();
    expect(h.log.filter((line) => line.startsWith('dispose'))).toEqual(['dispose c@v3 evicted', 'dispose b@v2 evicted']);
  });

  test('leased instances are never evicted; one released beyond the bound is evicted at once', async () => {
    const h = new Harness({ maxInstances: 2 });
    const ids = ['a', 'b', 'c', 'd'];
    for (const id of ids) h.rows.put(id);
    const leases = await Promise.all(ids.map((id) => h.registry.acquire(id)));
    expect(h.registry.snapshot()).toMatchObject({ live: 4, leased: 4 });
    for (const lease of leases) lease.release();
    await h.settle();
    expect(h.registry.snapshot()).toMatchObject({ live: 2, idle: 2 });
    expect(h.log.filter((line) => line.startsWith('dispose'))).toEqual(['dispose a@v1 evicted', 'dispose b@v2 evicted']);
  });

  test('failed hydrates do not let more than maxInstances live', async () => {
    const h: Harness = new Harness({
      maxInstances: 1, failureBackoff: { initialMs: 0, maxMs: 0 },
      factory: { create: (row, context) => { if (row.id === 'x') throw new Error('no'); return h.create(row, context); } },
    });
    for (const id of ['x', 'a', 'b']) h.rows.put(id);
    await expect(h.registry.use('x', () => {})).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
    await expect(h.registry.use('x', () => {})).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
    await h.registry.use('a', () => {});
    await h.registry.use('b', () => {});
    expect(h.registry.snapshot()).toMatchObject({ live: 1, limits: { maxInstances: 1 } });
  });

  test('the least recently used instance is found among thousands that were used in any order', async () => {
    const h = new Harness({ maxInstances: 2_000, maxQueuedHydrations: 5_000, freshness: { maxStaleMs: Infinity } });
    const ids = Array.from({ length: 2_000 }, (_, index) => `c${index}`);
    for (const id of [...ids, 'x']) h.rows.put(id);
    await Promise.all(ids.map((id) => h.registry.use(id, () => {})));
    for (const id of ids.slice(0, 100)) await h.registry.use(id, () => {});
    await h.registry.use('x', () => {});
    await h.settle();
    expect(h.log.at(-1)).toBe('dispose c100@v101 evicted');
  });

  test('an idle instance is disposed of after idleTimeoutMs, unless it is used again', async () => {
    const h = new Harness({ idleTimeoutMs: 1_000, sweepIntervalMs: 0 });
    h.rows.put('a');
    h.rows.put('b');
    await h.registry.use('a', () => {});
    await h.registry.use('b', () => {});
    await h.clock.advance(600);
    await h.registry.use('a', () => {});
    await h.clock.advance(399);
    expect(h.disposes).toBe(0);
    await h.clock.advance(1);
    expect(h.log.at(-1)).toBe('dispose b@v2 idle');
    await h.clock.advance(600);
    expect(h.log.at(-1)).toBe('dispose a@v1 idle');
    expect(h.clock.pendingTimers).toBe(0);
  });

  test('one idle timer serves all instances, and never keeps the process alive', async () => {
    const h = new Harness({ sweepIntervalMs: 0, maxQueuedHydrations: 5_000 });
    for (let id = 0; id < 1_000; id += 1) h.rows.put(`c${id}`);
    await Promise.all(Array.from({ length: 1_000 }, (_, id) => h.registry.use(`c${id}`, () => {})));
    expect(h.clock.pendingTimers).toBe(1);
    expect(h.clock.pendingRefTimers).toBe(0);
  });

  test('at most maxConcurrentHydrations creates run, and at most maxQueuedHydrations wait', async () => {
    const h = new Harness({ maxConcurrentHydrations: 2, maxQueuedHydrations: 3 });
    for (let id = 0; id < 7; id += 1) { h.rows.put(`c${id}`); h.holdCreate(id); }
    const uses = Array.from({ length: 7 }, (_, id) => h.registry.use(`c${id}`, () => id));
    const results = Promise.allSettled(uses);
    await h.settle();
    expect(h.creates).toBe(2);
    expect(h.registry.snapshot()).toMatchObject({ hydrating: 5, queued: 3 });
    for (const gate of h.creating) gate?.resolve();
    expect((await results).map((result) => result.status === 'fulfilled' ? result.value : result.reason.code))
      .toEqual([0, 1, 2, 3, 4, 'OVERLOADED', 'OVERLOADED']);
    await h.registry.use('c6', () => {});
  });

  test('one platform takes at most its share of the permits, and its queue delays no other platform', async () => {
    const { ConnectionRegistry, factoryByPlatform } = await import('hydrant');
    const started: string[] = [];
    const hang = (): Promise<never> => new Promise(() => {});
    type Of<P extends string> = { id: string; version: string; status: 'active'; platform: P };
    const factory = factoryByPlatform('platform', {
      down: { create: async (row: Of<'down'>) => { started.push(row.id); return hang(); }, maxConcurrentHydrations: 2 },
      up: { create: async (row: Of<'up'>) => { started.push(row.id); return row.id; } },
    });
    const registry = new ConnectionRegistry({
      store: {
        get: async (id: string) => ({
          id,
          version: '1',
          status: 'active' as const,
          platform: (id.startsWith('d') ? 'down' : 'up') as never,
        }),
      },
      factory: factory as never,
      maxConcurrentHydrations: 4,
      maxQueuedHydrations: 10,
    });
    for (let id = 0; id < 12; id += 1) registry.use(`d${id}`, () => {}).catch(() => {});
    expect(await Promise.all(['u1', 'u2', 'u3', 'u4', 'u5'].map((id) => registry.use(id, (instance) => instance)))).toEqual([
      'u1',
      'u2',
      'u3',
      'u4',
      'u5',
    ]);
    expect(started.filter((id) => id.startsWith('d'))).toHaveLength(2);
    await registry.close({ drainTimeoutMs: 0 });
  });

  test('at most one read of an id is outstanding, and reads of many ids are bounded', async () => {
    let outstanding = 0;
    let most = 0;
    const h = new Harness();
    const get = h.rows.get.bind(h.rows);
    h.rows.get = async (id) => {
      outstanding += 1;
      most = Math.max(most, outstanding);
      await Promise.resolve();
      outstanding -= 1;
      return get(id);
    };
    const strangers = Array.from({ length: 10_000 }, (_, id) => h.registry.use(`unknown${id % 5_000}`, () => {}));
    await Promise.allSettled(strangers);
    expect(most).toBeLessThanOrEqual(32);
    expect(h.rows.reads, 'one read for the two uses of an id').toHaveLength(5_000);
    expect(h.registry.snapshot()).toMatchObject({ hydrating: 0, connections: [] });
    h.rows.put('a');
    h.rows.reads.length = 0;
    await Promise.all(Array.from({ length: 100 }, () => h.registry.use('a', () => {})));
    expect(h.rows.reads.length).toBeLessThanOrEqual(2);
  });

  test('an event reports thrashing once a minute', async () => {
    const h = new Harness({ maxInstances: 2 });
    for (let id = 0; id < 10; id += 1) h.rows.put(`c${id}`);
    const round = async (): Promise<void> => { for (let id = 0; id < 10; id += 1) await h.registry.use(`c${id}`, () => {}); };
    await round();
    await round();
    expect(h.eventsOf('thrashing')).toEqual([{ maxInstances: 2, evictionsPerMinute: 3 }]);
    await h.clock.advance(60_000);
    await round();
    expect(h.eventsOf('thrashing')).toHaveLength(2);
  });

  test('calls of secrets are bounded, and need no permit to hydrate', async () => {
    let running = 0;
    let most = 0;
    const { webhookHarness, post } = await import('../support/webhooks.js');
    const h = webhookHarness({
      maxConcurrentHydrations: 1,
      factory: {
        secrets: async () => {
          running += 1;
          most = Math.max(most, running);
          await Promise.resolve();
          running -= 1;
        },
      },
    });
    for (let id = 0; id < 500; id += 1) h.rows.put(`c${id}`);
    await Promise.all(
      Array.from({ length: 500 }, (_, id) => h.registry.handleWebhook(`c${id}`, post('x', { secret: 'forged' }))),
    );
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(64);
    expect(h.creates).toBe(0);
  });
});
