import { describe, expect, test } from 'vitest';
import { Harness } from '../support/harness.js';

describe('G3 disposed exactly once', () => {
  test('a create that finishes after all callers timed out leaves an idle instance', async () => {
    const h = new Harness();
    h.rows.put('a');
    const gate = h.holdCreate();
    const use = h.registry.use('a', () => {}, { timeoutMs: 1_000 });
    use.catch(() => {});
    await h.clock.advance(1_000);
    await expect(use).rejects.toMatchObject({ code: 'ACQUIRE_TIMEOUT' });
    gate.resolve();
    await h.settle();
    expect(h.registry.snapshot()).toMatchObject({ idle: 1 });
    await h.registry.use('a', () => {});
    expect(h.creates).toBe(1);
  });

  test('a create that finishes after the last waiter aborted is disposed of as unused', async () => {
    const h = new Harness();
    h.rows.put('a');
    const gate = h.holdCreate();
    const controller = new AbortController();
    const use = h.registry.use('a', () => {}, { signal: controller.signal });
    use.catch(() => {});
    await h.settle();
    controller.abort();
    gate.resolve();
    await h.settle();
    expect(h.log).toEqual(['create a@v1', 'dispose a@v1 unused']);
  });

  test('a create that finishes after hydrationTimeoutMs is disposed of as unused, beside its successor', async () => {
    const h = new Harness({ hydrationTimeoutMs: 1_000, failureBackoff: { initialMs: 0, maxMs: 0 } });
    h.rows.put('a');
    const late = h.holdCreate();
    const use = h.registry.use('a', () => {});
    use.catch(() => {});
    await h.clock.advance(1_000);
    await expect(use).rejects.toMatchObject({ code: 'HYDRATION_TIMEOUT' });
    expect(h.contexts[0]?.signal.aborted).toBe(true);
    const successor = await h.registry.acquire('a');
    late.resolve();
    await h.settle();
    expect(h.log).toEqual(['create a@v1', 'create a@v1', 'dispose a@v1 unused']);
    expect(successor.instance.disposed).toBeUndefined();
    expect(successor.stale).toBe(false);
  });

  test('a create that finishes after close ran out of time is disposed of', async () => {
    const h = new Harness();
    h.rows.put('a');
    const gate = h.holdCreate();
    const use = h.registry.use('a', () => {});
    use.catch(() => {});
    await h.settle();
    const closed = h.registry.close({ drainTimeoutMs: 100 });
    await h.clock.advance(100);
    expect(await closed).toEqual({ abandoned: [{ id: 'a', leases: 0 }] });
    await expect(use).rejects.toMatchObject({ code: 'REGISTRY_CLOSED' });
    expect(h.contexts[0]?.signal.aborted).toBe(true);
    gate.resolve();
    await h.settle();
    expect(h.log).toEqual(['create a@v1', 'dispose a@v1 closing']);
  });

  test('invalidated, evicted, edited and closed at once: disposed of once', async () => {
    const h = new Harness({ maxInstances: 1 });
    h.rows.put('a');
    h.rows.put('b');
    await h.registry.use('a', () => {});
    h.rows.put('a');
    const use = h.registry.use('a', () => {});
    h.registry.invalidate('a');
    h.registry.invalidate('a');
    await Promise.all([use, h.registry.use('b', () => {})]);
    await h.registry.close();
    expect(h.instances.every(({ disposed }) => disposed !== undefined)).toBe(true);
    expect(h.disposes).toBe(h.creates);
  });

  test('clean-ups run after dispose, the last one first', async () => {
    const order: string[] = [];
    const h = new Harness({
      factory: {
        create: (row, { onDispose }) => {
          onDispose(() => { order.push('first'); });
          onDispose(async () => { order.push('second'); });
          return { name: 'x', row, disposed: undefined };
        },
        dispose: () => { order.push('dispose'); },
      },
    });
    h.rows.put('a');
    await h.registry.use('a', () => {});
    h.registry.invalidate('a');
    await h.settle();
    expect(order).toEqual(['dispose', 'second', 'first']);
  });

  test('clean-ups run when create fails half-way', async () => {
    const order: string[] = [];
    const h = new Harness({
      factory: {
        create: async (_row, { onDispose }) => {
          onDispose(() => { order.push('socket closed'); });
          throw new Error('login refused');
        },
      },
    });
    h.rows.put('a');
    await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
    await h.settle();
    expect(order).toEqual(['socket closed']);
    expect(h.eventsOf('disposed')).toEqual([]);
  });

  test('a clean-up registered after the end of the instance runs at once', async () => {
    const order: string[] = [];
    const h = new Harness();
    h.rows.put('a');
    await h.registry.use('a', () => {});
    const [context] = h.contexts;
    context?.onDispose(() => { order.push('while live'); });
    h.registry.invalidate('a');
    await h.settle();
    expect(order).toEqual(['while live']);
    context?.onDispose(() => { order.push('afterwards'); });
    expect(order).toEqual(['while live', 'afterwards']);
  });

  test('a dispose that throws is reported, and the clean-ups still run', async () => {
    const order: string[] = [];
    const failure = new Error('already gone');
    const h = new Harness({
      factory: {
        create: (row, { onDispose }) => {
          onDispose(() => { order.push('clean-up'); });
          return { name: 'x', row, disposed: undefined };
        },
        dispose: () => { throw failure; },
      },
    });
    h.rows.put('a');
    await h.registry.use('a', () => {});
    h.registry.invalidate('a');
    await h.settle();
    expect(order).toEqual(['clean-up']);
    expect(h.eventsOf('disposeFailed')).toEqual([{ id: 'a', version: 'v1', error: failure }]);
    expect(h.eventsOf('disposed')).toHaveLength(1);
  });

  test('a dispose that hangs is reported, and is not waited for beyond disposeTimeoutMs', async () => {
    const h = new Harness({ disposeTimeoutMs: 1_000 });
    h.rows.put('a');
    await h.registry.use('a', () => {});
    h.holdDispose();
    const closed = h.registry.close();
    await h.clock.advance(999);
    expect(h.registry.state).toBe('closing');
    await h.clock.advance(1);
    expect(await closed).toEqual({ abandoned: [] });
    expect(h.eventsOf('disposeFailed')).toHaveLength(1);
  });

  test('a dispose may call the registry, and finds it in a consistent state', async () => {
    const h: Harness = new Harness({
      factory: {
        dispose: async (instance, { reason }) => {
          h.registry.invalidate('a');
          h.registry.snapshot();
          await h.registry.use('a', (other) => { expect(other).not.toBe(instance); });
          await h.dispose(instance, reason);
        },
      },
    });
    h.rows.put('a');
    await h.registry.use('a', () => {});
    h.registry.invalidate('a');
    await h.settle();
    await h.registry.use('a', () => {});
    expect(h.instances.filter(({ disposed }) => disposed === undefined)).toHaveLength(1);
  });
});
