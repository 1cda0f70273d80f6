import { describe, expect, test } from 'vitest';
import { ManualClock } from 'hydrant/testing';
import { Environment } from '../../src/environment.js';
import { Eviction } from '../../src/slot/eviction.js';
import { Slot } from '../../src/slot/state.js';
import type { Row } from '../support/harness.js';
import { disposed, open } from './support/open.js';

describe('an idle instance', () => {
  test('stays for idleTimeoutMs, even if its only use left before it was created', async () => {
    const h = open({ idleTimeoutMs: 1_000, acquireTimeoutMs: 10 });
    const gate = h.holdCreate();
    const use = h.registry.use('a', () => {}).catch((error: { code: string }) => error.code);
    await h.clock.advance(10);
    expect(await use).toBe('ACQUIRE_TIMEOUT');
    gate.resolve();
    await h.clock.advance(999);
    expect(disposed(h)).toEqual([]);
    await h.clock.advance(1);
    expect(disposed(h)).toEqual(['dispose a@v1 idle']);
  });

  test('has a timer only while it is idle', async () => {
    const h = open();
    const lease = await h.registry.acquire('a');
    expect(h.clock.pendingTimers).toBe(0);
    lease.release();
    expect(h.clock.pendingTimers).toBe(1);
  });

  test('with idleTimeoutMs: Infinity is never disposed of and has no timer', async () => {
    const h = open({ idleTimeoutMs: Infinity });
    await h.registry.use('a', () => {});
    expect(h.clock.pendingTimers).toBe(0);
  });

  test('is disposed of in the turn of its timer', async () => {
    const h = open({ idleTimeoutMs: 1_000 });
    await h.registry.use('a', () => {});
    h.clock.advanceSync(1_000);
    expect(disposed(h)).toEqual(['dispose a@v1 idle']);
  });

  test('leaves no timer behind when the registry closes', async () => {
    const h = open();
    await h.registry.use('a', () => {});
    await h.registry.close();
    expect(h.clock.pendingTimers).toBe(0);
  });

  test('that was disposed of while leased does not come back when the lease is released', async () => {
    const h = open({ drainTimeoutMs: 100, maxInstances: 1 });
    const lease = await h.registry.acquire('a');
    h.registry.invalidate('a');
    await h.clock.advance(100);
    lease.release();
    expect(h.clock.pendingTimers).toBe(0);
    await h.registry.use('a', () => {});
    expect(disposed(h)).toEqual(['dispose a@v1 invalidated']);
  });

  test('of more than one batch is disposed of a millisecond after the first batch', async () => {
    const h = open({ idleTimeoutMs: 1_000, maxConcurrentHydrations: 1_000 });
    const ids = Array.from({ length: 513 }, (_, index) => `c${index}`);
    for (const id of ids) h.rows.put(id);
    await Promise.all(ids.map((id) => h.registry.use(id, () => {})));
    await h.clock.advance(1_000);
    expect(h.disposes).toBe(512);
    await h.clock.advance(1);
    expect(h.disposes).toBe(513);
  });

  test('is disposed of in time although hundreds were used after it became idle', () => {
    const clock = new ManualClock();
    const gone: string[] = [];
    let instances = 600;
    const options = { clock, maxInstances: 1_000, eviction: 'lru', idleTimeoutMs: 10_000 };
    const eviction = new Eviction<Row, unknown>(
      new Environment<Row, unknown>(options as never),
      () => instances,
      (slot) => { gone.push(`${slot.id} at ${clock.monotonic()}`); instances -= 1; eviction.remove(slot); },
    );
    const slots = Array.from(
      { length: 600 },
      (_, index) =>
        new Slot<Row, unknown>({ id: `c${index}`, version: '1', status: 'active', token: '' }, { create: () => '' }, 0, false),
    );
    for (const slot of slots) { eviction.touch(slot); eviction.add(slot); }
    for (const slot of slots.toReversed()) {
      clock.advanceSync(1);
      slot.usedAt = clock.monotonic();
      eviction.touch(slot);
    }
    clock.advanceSync(9_403);
    expect(gone.slice(0, 2)).toEqual(['c599 at 10001', 'c598 at 10002']);
  });
});
