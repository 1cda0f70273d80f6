import type { HydrationContext } from 'hydrant';
import { describe, expect, test } from 'vitest';
import { Harness, type HarnessOptions, type Row } from '../support/harness.js';
import { deferred } from '../support/deferred.js';

const open = (options: HarnessOptions = {}): { h: Harness; signals: AbortSignal[] } => {
  const signals: AbortSignal[] = [];
  const h: Harness = new Harness({
    ...options,
    factory: {
      create: (row: Row, context: HydrationContext) => {
        signals.push(context.superseded);
        return h.create(row, context);
      },
      ...options.factory,
    },
  });
  h.rows.put('a');
  return { h, signals };
};

describe('context.superseded aborts while leases still drain', () => {
  const ENDINGS: Record<string, (h: Harness) => unknown> = {
    replaced: (h) => { h.rows.put('a'); return h.registry.use('a', () => {}); },
    stopped: (h) => { h.rows.stop('a'); return h.registry.use('a', () => {}).catch(() => {}); },
    deleted: (h) => { h.rows.delete('a'); return h.registry.use('a', () => {}).catch(() => {}); },
    'retired by itself': (h) => h.contexts[0]?.retire(),
    invalidated: (h) => { void h.registry.invalidate('a'); },
    closed: (h) => { void h.registry.close(); },
  };

  test.each(Object.keys(ENDINGS))('%s', async (how) => {
    const { h, signals } = open();
    const lease = await h.registry.acquire('a');
    expect(signals[0]?.aborted).toBe(false);
    await ENDINGS[how]?.(h);
    await h.settle();
    expect({ superseded: signals[0]?.aborted, lease: lease.signal.aborted, disposes: h.disposes }).toEqual({
      superseded: true,
      lease: false,
      disposes: 0,
    });
    expect(signals[0]?.reason).toMatchObject({
      message: "Connection 'a' was superseded: its instance is not handed out again",
    });
    lease.release();
  });

  test('retired by a lease', async () => {
    const { h, signals } = open();
    const lease = await h.registry.acquire('a');
    lease.retire();
    expect(signals[0]?.aborted).toBe(true);
  });

  test.each([
    { how: 'evicted', options: { maxInstances: 1 } },
    { how: 'idle', options: { idleTimeoutMs: 10 } },
  ])('$how: before dispose runs', async ({ options }) => {
    const seen: unknown[] = [];
    const { h, signals } = open({
      ...options,
      factory: {
        dispose: () => {
          seen.push(signals[0]?.aborted);
        },
      },
    });
    h.rows.put('b');
    await h.registry.use('a', () => {});
    await h.registry.use('b', () => {});
    await h.clock.advance(10);
    expect(seen[0]).toBe(true);
  });
});

describe('context.superseded', () => {
  test('aborts while the instance is created, when its row changes or all callers have left', async () => {
    const { h, signals } = open();
    h.holdCreate();
    h.registry.use('a', () => {}).catch(() => {});
    await h.settle();
    expect(signals[0]?.aborted).toBe(false);
    h.rows.put('a');
    await h.registry.use('a', () => {});
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);

    const second = open();
    second.h.holdCreate();
    const caller = new AbortController();
    second.h.registry.use('a', () => {}, { signal: caller.signal }).catch(() => {});
    await second.h.settle();
    caller.abort();
    expect(second.signals[0]?.aborted).toBe(true);
  });

  test('aborts when create fails', async () => {
    const gate = deferred();
    const { h, signals } = open({
      factory: {
        create: async (_row, context) => {
          signals.push(context.superseded);
          await gate.promise;
          throw new Error('no');
        },
      },
    });
    const use = h.registry.use('a', () => {}).catch(() => {});
    await h.settle();
    gate.resolve();
    await use;
    expect(signals[0]?.aborted).toBe(true);
  });

  test('is one signal, created on first access, at any time', async () => {
    const { h } = open({ factory: { create: (row, context) => h.create(row, context) } });
    const lease = await h.registry.acquire('a');
    const context = h.contexts[0] as HydrationContext;
    const { superseded } = context;
    expect({
      same: context.superseded === superseded,
      spread: { ...context }.superseded === superseded,
      aborted: superseded.aborted,
    }).toEqual({ same: true, spread: true, aborted: false });
    void h.registry.invalidate('a');
    expect(superseded.aborted).toBe(true);
    lease.release();

    await h.registry.use('a', () => {});
    await h.registry.invalidate('a');
    expect((h.contexts[1] as HydrationContext).superseded.aborted).toBe(true);
  });

  test('runs its listeners in a consistent state: they may use the connection again', async () => {
    const { h, signals } = open();
    const lease = await h.registry.acquire('a');
    let again: Promise<string> | undefined;
    signals[0]?.addEventListener('abort', () => { again = h.registry.use('a', ({ name }) => name); });
    void h.registry.invalidate('a');
    expect(await again).toBe('a@v1#1');
    lease.release();
  });

  test('aborts for accepted hydrates when the registry closes', async () => {
    const { h, signals } = open();
    const gate = h.holdCreate();
    const use = h.registry.use('a', () => signals[0]?.aborted);
    await h.settle();
    const closed = h.registry.close();
    gate.resolve();
    expect(await use).toBe(true);
    await closed;
  });
});
