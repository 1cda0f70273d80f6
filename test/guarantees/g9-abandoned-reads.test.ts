import { describe, expect, test } from 'vitest';
import { Harness, type Row } from '../support/harness.js';
import { post, webhookHarness } from '../support/webhooks.js';

/** A store with `get` alone. The test decides which reads it answers. */
function silentStore() {
  const open: (() => void)[] = [];
  return {
    answering: false,
    get(id: string): Promise<Row> {
      const row: Row = { id, version: 'v1', status: 'active', token: 't' };
      if (this.answering) return Promise.resolve(row);
      return new Promise((resolve) => open.push(() => resolve(row)));
    },
    unsettled: (): number => open.length,
    /** Answers so many of those that wait, from the one at this place on. */
    settle(count: number, from = 0): void {
      for (const answer of open.splice(from, count)) answer();
    },
  };
}

describe('G9 bounded: reads of the store', () => {
  test('abandoned reads count until they settle: a silent store gets one more per storeTimeoutMs', async () => {
    const store = silentStore();
    const h = new Harness({ store, storeTimeoutMs: 1_000, acquireTimeoutMs: 3_600_000, sweepIntervalMs: 0 });
    const uses = Array.from({ length: 100 }, (_, id) => h.registry.use(`c${id}`, () => id));
    const results = Promise.allSettled(uses);
    await h.settle();
    expect(store.unsettled()).toBe(32);
    expect(h.registry.snapshot().reads).toEqual({ inFlight: 32, abandoned: 0 });
    await h.clock.advance(1_000);
    expect(h.registry.snapshot().reads).toEqual({ inFlight: 1, abandoned: 32 });
    await h.clock.advance(5_000);
    expect(store.unsettled()).toBe(38);
    expect(h.registry.snapshot().reads).toEqual({ inFlight: 1, abandoned: 37 });

    store.settle(35);
    await h.settle();
    expect(h.registry.snapshot().reads, 'each that settles makes room for another').toEqual({ inFlight: 30, abandoned: 2 });
    store.answering = true;
    store.settle(Infinity);
    await h.settle();
    await results;
    expect(h.registry.snapshot().reads).toEqual({ inFlight: 0, abandoned: 0 });
  });

  test('after an outage the store gets full concurrency again, even if abandoned reads never settle', async () => {
    const store = silentStore();
    const h = new Harness({ store, storeTimeoutMs: 1_000, sweepIntervalMs: 0 });
    const outage = Promise.allSettled(Array.from({ length: 50 }, (_, id) => h.registry.use(`lost${id}`, () => id)));
    await h.clock.advance(1_000);
    await h.clock.advance(20_000);
    await outage;
    expect(h.registry.snapshot().reads).toEqual({ inFlight: 0, abandoned: 50 });
    const uses = Array.from({ length: 100 }, (_, id) => h.registry.use(`c${id}`, () => id));
    const results = Promise.allSettled(uses);
    await h.settle();
    expect(h.registry.snapshot().reads).toEqual({ inFlight: 1, abandoned: 50 });
    store.settle(1, 50);
    await h.settle();
    expect(h.registry.snapshot().reads).toEqual({ inFlight: 32, abandoned: 50 });
    while (store.unsettled() > 50) { store.settle(Infinity, 50); await h.settle(); }
    await results;
    store.settle(Infinity);
    await h.settle();
    expect(h.registry.snapshot().reads, 'late answers take no room').toEqual({ inFlight: 0, abandoned: 0 });
  });

  test('uses, checks of live connections and deliveries to others have 32 reads each', async () => {
    const store = silentStore();
    const h = webhookHarness({ store, sweepIntervalMs: 60_000, maxQueuedHydrations: 1_000 });
    store.answering = true;
    await Promise.all(Array.from({ length: 100 }, (_, id) => h.registry.use(`live${id}`, () => id)));
    store.answering = false;
    await h.clock.advance(60_000);
    const uses = Array.from({ length: 100 }, (_, id) => h.registry.use(`cold${id}`, () => id));
    const deliveries = Array.from({ length: 100 }, (_, id) => h.registry.handleWebhook(`unknown${id}`, post()));
    const results = Promise.allSettled<unknown>([...uses, ...deliveries]);
    await h.settle();
    expect(h.registry.snapshot().reads.inFlight).toBe(96);
    store.answering = true;
    store.settle(Infinity);
    await h.settle();
    await results;
  });
});
