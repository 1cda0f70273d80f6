import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Harness } from '../support/harness.js';

const failing = (failures: number) => {
  let attempts = 0;
  const h: Harness = new Harness({
    factory: {
      create: (row, context) => {
        attempts += 1;
        if (attempts <= failures) throw new Error(`attempt ${attempts}`);
        return h.create(row, context);
      },
    },
  });
  return { h, attempts: () => attempts };
};

describe('G6 no latching', () => {
  beforeEach(() => { vi.spyOn(Math, 'random').mockReturnValue(0.5); });
  afterEach(() => { vi.restoreAllMocks(); });

  test('every waiter of a failed hydrate gets the failure', async () => {
    const { h, attempts } = failing(1);
    h.rows.put('a');
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => h.registry.use('a', () => {})));
    expect(results.map((result) => result.status === 'rejected' && result.reason.code)).toEqual(
      Array(5).fill('HYDRATION_FAILED'),
    );
    expect(attempts()).toBe(1);
    expect(h.eventsOf('hydrationFailed')).toMatchObject([{ id: 'a', version: 'v1', failures: 1, retryAfterMs: 250 }]);
  });

  test('during the back-off uses fail at once and say how long it lasts; afterwards one attempt is made', async () => {
    const { h, attempts } = failing(2);
    h.rows.put('a');
    const use = (): Promise<void> => h.registry.use('a', () => {});
    await expect(use()).rejects.toMatchObject({ code: 'HYDRATION_FAILED', retryAfterMs: 250 });
    await h.clock.advance(100);
    await expect(use()).rejects.toMatchObject({ code: 'BACKING_OFF', retryAfterMs: 150, retryable: true });
    expect(attempts()).toBe(1);
    await h.clock.advance(150);
    await expect(use()).rejects.toMatchObject({ code: 'HYDRATION_FAILED', retryAfterMs: 500 });
    await h.clock.advance(500);
    await use();
    expect(h.eventsOf('hydrated')).toMatchObject([{ afterFailures: 2 }]);
  });

  test('a new version is tried at once', async () => {
    const { h } = failing(1);
    h.rows.put('a');
    await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
    h.rows.put('a');
    await h.registry.use('a', () => {});
  });

  test('invalidate forgets the back-off', async () => {
    const { h } = failing(1);
    h.rows.put('a');
    await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
    h.registry.invalidate('a');
    await h.registry.use('a', () => {});
  });

  test('the back-off doubles, with full jitter, up to its cap', async () => {
    const { h } = failing(100);
    h.rows.put('a');
    const delays: number[] = [];
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const error = await h.registry.use('a', () => {}).catch((caught: unknown) => caught) as { retryAfterMs: number };
      delays.push(error.retryAfterMs);
      await h.clock.advance(error.retryAfterMs);
    }
    expect(delays).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  test('zeros turn the back-off off', async () => {
    let attempts = 0;
    const h = new Harness({
      failureBackoff: { initialMs: 0, maxMs: 0 },
      factory: {
        create: () => {
          attempts += 1;
          throw new Error('no');
        },
      },
    });
    h.rows.put('a');
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
    }
    expect(attempts).toBe(3);
  });

  test('an instance that reports itself dead right after create is backed off from', async () => {
    const h: Harness = new Harness({
      factory: {
        create: (row, context) => {
          queueMicrotask(() => context.retire(new Error('token revoked')));
          return h.create(row, context);
        },
      },
    });
    h.rows.put('a');
    await h.registry.use('a', () => {});
    await h.settle();
    expect(h.eventsOf('retired')).toHaveLength(1);
    await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'BACKING_OFF', retryAfterMs: 250 });
    await h.clock.advance(250);
    await h.registry.use('a', () => {});
    await h.settle();
    await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'BACKING_OFF', retryAfterMs: 500 });
  });

  test('an instance that reports itself dead before create returns fails the hydrate', async () => {
    const h: Harness = new Harness({
      factory: {
        create: async (row, context) => {
          context.retire(new Error('banned'));
          return h.create(row, context);
        },
      },
    });
    h.rows.put('a');
    await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
    await h.settle();
    expect(h.log).toEqual(['create a@v1', 'dispose a@v1 retired']);
  });

  test('an instance that dies after a long life is hydrated again at once', async () => {
    const h = new Harness({ idleTimeoutMs: Infinity });
    h.rows.put('a');
    await h.registry.use('a', () => {});
    await h.clock.advance(3_600_000);
    h.contexts[0]?.retire(new Error('socket closed'));
    await h.registry.use('a', () => {});
    expect(h.creates).toBe(2);
  });

  test('lease.retire counts as a failure; the lease still has to be released', async () => {
    const h = new Harness();
    h.rows.put('a');
    const lease = await h.registry.acquire('a');
    lease.retire(new Error('query failed'));
    expect(lease.stale).toBe(true);
    expect(lease.instance.disposed).toBeUndefined();
    await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'BACKING_OFF' });
    lease.release();
    await h.settle();
    expect(lease.instance.disposed).toBe('retired');
    await h.clock.advance(250);
    await h.registry.use('a', () => {});
  });

  test('retire of a superseded instance has no effect', async () => {
    const h = new Harness();
    h.rows.put('a');
    const lease = await h.registry.acquire('a');
    h.registry.invalidate('a');
    lease.retire();
    h.contexts[0]?.retire();
    expect(h.eventsOf('retired')).toEqual([]);
    await h.registry.use('a', () => {});
  });

  test('a hydration timeout counts as a failure and returns its permit', async () => {
    const h = new Harness({ hydrationTimeoutMs: 1_000, maxConcurrentHydrations: 1 });
    h.rows.put('a');
    h.rows.put('b');
    h.holdCreate();
    const hung = h.registry.use('a', () => {});
    hung.catch(() => {});
    await h.settle();
    const other = h.registry.use('b', () => {});
    await h.clock.advance(1_000);
    await other;
    await expect(hung).rejects.toMatchObject({ code: 'HYDRATION_TIMEOUT', retryAfterMs: 250 });
    await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'BACKING_OFF' });
  });
});
