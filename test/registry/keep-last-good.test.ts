import { describe, expect, test } from 'vitest';
import { Harness } from '../support/harness.js';

describe('keepLastGood', () => {
  const open = (options = {}): Harness => {
    const h: Harness = new Harness({
      keepLastGood: true,
      ...options,
      factory: {
        create: (row, context) => {
          if (row.token === 'bad') throw new Error('refused');
          return h.create(row, context);
        },
      },
    });
    return h;
  };

  test.each(['v1', 'v2'])('invalidateWhere ends both instances of an edited connection by its row %s', async (version) => {
    const h = open();
    const { first, gate, use } = await h.edited();
    const ended = h.registry.invalidateWhere((row) => row.version === version);
    gate.resolve();
    const second = await use;
    await ended;
    for (const instance of [first, second]) expect(instance.disposed, instance.name).toBe('invalidated');
  });

  test('close aborts context.superseded of the old instance too, while its successor is created', async () => {
    const h = open();
    const { gate } = await h.edited();
    const superseded = h.contexts.map((context) => context.superseded);
    const closed = h.registry.close();
    expect(superseded.map(({ aborted }) => aborted)).toEqual([true, true]);
    gate.resolve();
    await closed;
  });

  test('a new version that fails leaves the old instance serving, and is retried after the back-off', async () => {
    const h = open();
    h.rows.put('a', { token: 'good' });
    const first = await h.registry.use('a', (instance) => instance);
    h.rows.put('a', { token: 'bad' });
    expect(await h.registry.use('a', (instance) => instance)).toBe(first);
    expect(h.eventsOf('hydrationFailed')).toHaveLength(1);
    expect(await h.registry.use('a', (instance) => instance)).toBe(first);
    expect(h.eventsOf('hydrationFailed')).toHaveLength(1);
    await h.clock.advance(60_000);
    expect(await h.registry.use('a', (instance) => instance)).toBe(first);
    expect(h.eventsOf('hydrationFailed')).toHaveLength(2);
    expect(first.disposed).toBeUndefined();
    h.rows.put('a', { token: 'better' });
    expect(await h.registry.use('a', ({ row }) => row.token)).toBe('better');
    await h.settle();
    expect(first.disposed).toBe('replaced');
    expect(h.registry.snapshot()).toMatchObject({ idle: 1, leased: 0, draining: 0 });
  });

  test('the old instance serves no use that may get the new one, and is neither evicted nor idle meanwhile', async () => {
    const h = open({ idleTimeoutMs: 1_000, maxInstances: 1 });
    h.rows.put('a');
    h.rows.put('b');
    const first = await h.registry.use('a', (instance) => instance);
    h.rows.put('a');
    const gate = h.holdCreate();
    const use = h.registry.use('a', (instance) => instance);
    await h.clock.advance(5_000);
    await h.registry.use('b', () => {});
    expect(first.disposed).toBeUndefined();
    gate.resolve();
    expect(await use).not.toBe(first);
    await h.settle();
    expect(first.disposed).toBe('replaced');
  });

  test('the old instance does not survive a stop, a delete, an invalidate or its own death', async () => {
    const endings: ((h: Harness) => unknown)[] = [
      async (h) => { h.rows.stop('a'); await h.registry.use('a', () => {}).catch(() => {}); },
      async (h) => { h.rows.delete('a'); await h.registry.use('a', () => {}).catch(() => {}); },
      (h) => { void h.registry.invalidate('a'); },
      (h) => h.contexts[0]?.retire(),
    ];
    for (const end of endings) {
      const h = open();
      const { first, gate, use } = await h.edited();
      await end(h);
      gate.reject(new Error('no'));
      await expect(use).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
      await h.settle();
      expect(first.disposed).toBeDefined();
      expect(h.disposes).toBe(1);
    }
  });

  test('a row that no longer parses leaves the old instance serving', async () => {
    const h = open();
    h.rows.put('a');
    const first = await h.registry.use('a', (instance) => instance);
    h.rows.put('a', { status: 'nonsense' as never });
    expect(await h.registry.use('a', (instance) => instance)).toBe(first);
  });

  test.each([
    { when: 'is still hydrated', token: undefined },
    { when: 'has failed before', token: 'bad' },
  ])('when a version fails whose successor $when, its waiters get the last good instance too', async ({ token }) => {
    const h = open();
    const { first, gate: second, use: early } = await h.edited();
    h.rows.put('a', token === undefined ? {} : { token });
    const third = token === undefined ? h.holdCreate() : undefined;
    const late = h.registry.use('a', (instance) => instance);
    await h.settle();
    second.reject(new Error('the second cannot be created'));
    expect(await early).toBe(first);
    third?.resolve();
    expect((await late).row.version).toBe(token === undefined ? 'v3' : 'v1');
    await h.registry.close();
    expect(h.instances.every(({ disposed }) => disposed !== undefined)).toBe(true);
  });

  test('while the store is unreachable the old instance serves for staleIfErrorMs, although a successor hydrates', async () => {
    const h = open({ staleIfErrorMs: 1_000 });
    const { first, gate: second, use: waiting } = await h.edited();
    h.rows.failure = new Error('unreachable');
    expect(await h.registry.use('a', (instance) => instance)).toBe(first);
    await h.clock.advance(1_001);
    await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    second.resolve();
    expect((await waiting).row.version).toBe('v2');
    await h.registry.close();
  });

  test('after several edits the last good instance serves until one of the new versions comes to life', async () => {
    const h = open();
    const { first, gate: second, use: early } = await h.edited();
    h.rows.put('a', { token: 'bad' });
    expect(await h.registry.use('a', (instance) => instance)).toBe(first);
    second.resolve();
    expect((await early).row.version).toBe('v2');
    await h.registry.close();
    expect(h.instances.every(({ disposed }) => disposed !== undefined)).toBe(true);
    expect(h.disposes).toBe(h.instances.length);
  });
});
