import { afterEach, describe, expect, test, vi } from 'vitest';
import { getEventListeners } from 'node:events';
import { deferred } from '../support/deferred.js';
import { Harness } from '../support/harness.js';
import { open, outcomeOf } from './support/use.js';

afterEach(() => { vi.restoreAllMocks(); });

describe('a slot that waits for a permit', () => {
  test('is not queued while an older instance must go first', async () => {
    const h = open({ replacement: 'drain-first', maxConcurrentHydrations: 1 });
    h.rows.put('a');
    h.rows.put('b');
    await h.registry.use('a', () => {});
    h.holdDispose();
    h.holdCreate();
    void outcomeOf(h.registry.use('b', () => {}));
    await h.settle();
    h.rows.put('a');
    void outcomeOf(h.registry.use('a', () => {}));
    await h.settle();
    expect(h.registry.snapshot().queued).toBe(0);
  });

  test('waits for a create that was given up while it was queued', async () => {
    const h = open({ maxConcurrentHydrations: 2 });
    h.rows.put('a');
    h.rows.put('b');
    const [givenUp, other] = [h.holdCreate(0), h.holdCreate(1)];
    const leaving = new AbortController();
    const first = outcomeOf(h.registry.use('a', () => {}, { signal: leaving.signal }));
    const second = h.registry.use('b', () => {});
    await h.settle();
    h.registry.invalidate('a');
    const successor = h.registry.use('a', ({ name }) => name);
    await h.settle();
    leaving.abort('gone');
    other.resolve();
    await second;
    await h.settle();
    expect(await first).toBe('gone');
    expect(h.creates).toBe(2);
    givenUp.resolve();
    expect(await successor).toBe('a@v1#2');
  });

  test.each([
    { invalidated: true, creates: 1 },
    { invalidated: false, creates: 2 },
  ])(
    'is still hydrated after its caller timed out, unless it was superseded: $invalidated',
    async ({ invalidated, creates }) => {
      const h = open({ maxConcurrentHydrations: 1 });
      h.rows.put('a');
      h.rows.put('b');
      const busy = h.holdCreate();
      const other = h.registry.use('b', () => {});
      await h.settle();
      const use = outcomeOf(h.registry.use('a', () => {}, { timeoutMs: 100 }));
      await h.settle();
      if (invalidated) h.registry.invalidate('a');
      await h.clock.advance(100);
      expect(await use).toBe('ACQUIRE_TIMEOUT');
      busy.resolve();
      await other;
      await h.settle();
      expect(h.creates).toBe(creates);
    },
  );

  test('fails when the deadline of close passes', async () => {
    const h = open({ maxConcurrentHydrations: 1 });
    h.rows.put('a');
    h.rows.put('b');
    h.holdCreate();
    const uses = ['b', 'a'].map((id) => outcomeOf(h.registry.use(id, () => {})));
    await h.settle();
    void h.registry.close({ drainTimeoutMs: 100 });
    await h.clock.advance(100);
    expect(await Promise.all(uses)).toEqual(['REGISTRY_CLOSED', 'REGISTRY_CLOSED']);
  });

  test('fails when the queue is full, and its predecessor is disposed of although no successor comes', async () => {
    const h = open({ maxConcurrentHydrations: 1, maxQueuedHydrations: 0 });
    h.rows.put('a');
    h.rows.put('b');
    await h.registry.use('a', () => {});
    h.holdCreate();
    void outcomeOf(h.registry.use('b', () => {}));
    await h.settle();
    h.rows.put('a');
    await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'OVERLOADED', connectionId: 'a' });
    expect(h.log.at(-1)).toBe('dispose a@v1 replaced');
  });
});

describe('a create', () => {
  test('of another version that was given up is not waited for', async () => {
    const h = open();
    h.rows.put('a');
    h.holdCreate();
    const leaving = new AbortController();
    const use = outcomeOf(h.registry.use('a', () => {}, { signal: leaving.signal }));
    await h.settle();
    leaving.abort('gone');
    await use;
    h.rows.put('a');
    expect(await h.registry.use('a', ({ row }) => row.version)).toBe('v2');
  });

  test('is not called when all callers left while its secrets were fetched', async () => {
    const secrets = deferred<string>();
    const h = open({ factory: { secrets: () => secrets.promise } });
    h.rows.put('a');
    const leaving = new AbortController();
    const use = outcomeOf(h.registry.use('a', () => {}, { signal: leaving.signal }));
    await h.settle();
    leaving.abort('gone');
    await use;
    secrets.resolve('s');
    await h.settle();
    expect(h.creates).toBe(0);
  });

  test.each([
    { timeoutMs: 1_000, timers: 1 },
    { timeoutMs: Infinity, timers: 0 },
  ])('with hydrationTimeoutMs $timeoutMs has $timers timers, which keep the process alive', async ({ timeoutMs, timers }) => {
    for (const end of ['resolve', 'reject'] as const) {
      const h = open({ hydrationTimeoutMs: timeoutMs, acquireTimeoutMs: Infinity });
      h.rows.put('a');
      const gate = h.holdCreate();
      const use = outcomeOf(h.registry.use('a', () => {}));
      await h.settle();
      expect(h.clock).toMatchObject({ pendingTimers: timers, pendingRefTimers: timers });
      gate[end](new Error('no') as never);
      expect(await use).toBe(end === 'resolve' ? 'served' : 'HYDRATION_FAILED');
      expect(h.clock.pendingTimers).toBe(0);
    }
  });

  test('that succeeds ends the series of failures before it', async () => {
    let failures = 1;
    const h: Harness = open({
      factory: {
        create: (row, context) => {
          if (failures-- > 0) throw new Error('no');
          return h.create(row, context);
        },
      },
    });
    h.rows.put('a');
    await outcomeOf(h.registry.use('a', () => {}));
    await h.clock.advance(1_000);
    await h.registry.use('a', () => {});
    const stop = h.rows.stop('a');
    await outcomeOf(h.registry.use('a', () => {}));
    h.rows.rows.set('a', { ...stop, status: 'active', version: 'v1' });
    await h.registry.use('a', () => {});
    expect(h.eventsOf('hydrated').map(({ afterFailures }) => afterFailures)).toEqual([1, 0]);
  });

  test('of an older version that fails late does not end the back-off of the newer one', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const h: Harness = open({
      factory: {
        create: (row, context) => {
          if (row.version === 'v2') throw new Error('no');
          return h.create(row, context);
        },
      },
    });
    h.rows.put('a');
    const old = h.holdCreate();
    const early = outcomeOf(h.registry.use('a', () => {}));
    await h.settle();
    h.rows.put('a');
    expect(await outcomeOf(h.registry.use('a', () => {}))).toBe('HYDRATION_FAILED');
    old.reject(new Error('too old'));
    expect(await early).toBe('HYDRATION_FAILED');
    expect(h.eventsOf('hydrationFailed')).toMatchObject([
      { version: 'v2', failures: 1, retryAfterMs: 250 },
      { version: 'v1', failures: 1, retryAfterMs: 0 },
    ]);
    await expect(h.registry.use('a', () => {})).rejects.toMatchObject({
      code: 'BACKING_OFF',
      message: expect.stringContaining('250 ms'),
    });
  });

  test('that was invalidated meanwhile serves only the uses that waited for it', async () => {
    const h = open();
    h.rows.put('a');
    h.rows.hold();
    const early = h.registry.use('a', ({ name }) => name);
    await h.settle();
    h.registry.invalidate('a');
    const late = h.registry.use('a', ({ name }) => name);
    h.rows.letAllGo();
    expect(await Promise.all([early, late])).toEqual(['a@v1#0', 'a@v1#1']);
  });

  test('that fails has an error that says how', async () => {
    const h = open({ hydrationTimeoutMs: 1_000, failureBackoff: { initialMs: 0, maxMs: 0 } });
    h.rows.put('a');
    h.holdCreate(0).reject(new Error('no'));
    h.holdCreate(1);
    const held = h.holdCreate(2);
    await expect(h.registry.use('a', () => {})).rejects.toThrow('could not be hydrated');
    const slow = h.registry.use('a', () => {});
    slow.catch(() => {});
    await h.clock.advance(1_000);
    await expect(slow).rejects.toThrow('was not hydrated within 1000 ms');
    const retired = h.registry.use('a', () => {});
    retired.catch(() => {});
    await h.settle();
    h.contexts[2]?.retire();
    held.resolve();
    await expect(retired).rejects.toThrow('reported itself dead while it was hydrated');
  });
});

describe('a use that waits', () => {
  test('leaves no listener on its signal, and no timer', async () => {
    const h = open();
    h.rows.put('a');
    const { signal } = new AbortController();
    const use = h.registry.use('a', () => {}, { signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await use;
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(h.clock.pendingTimers).toBe(0);
  });

  test.each([
    { timeoutMs: 1_000, timers: 1 },
    { timeoutMs: Infinity, timers: 0 },
  ])('with acquireTimeoutMs $timeoutMs has $timers timers, which keep the process alive', async ({ timeoutMs, timers }) => {
    const h = open({ acquireTimeoutMs: timeoutMs, storeTimeoutMs: Infinity });
    h.rows.put('a');
    h.rows.hold();
    void outcomeOf(h.registry.use('a', () => {}));
    await h.settle();
    expect(h.clock).toMatchObject({ pendingTimers: timers, pendingRefTimers: timers });
  });
});
