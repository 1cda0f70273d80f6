import { afterEach, describe, expect, test, vi } from 'vitest';
import { ManualClock } from 'hydrant/testing';
import { Environment } from '../../src/environment.js';
import { Eviction } from '../../src/slot/eviction.js';
import { Slot } from '../../src/slot/state.js';
import { Harness, type HarnessOptions, type Row } from '../support/harness.js';

const open = (options: HarnessOptions = {}): Harness => {
  const h = new Harness({ sweepIntervalMs: 0, freshness: { maxStaleMs: Infinity }, ...options });
  h.rows.put('a');
  return h;
};
const disposed = (h: Harness): string[] => h.log.filter((line) => line.startsWith('dispose'));

afterEach(() => { vi.restoreAllMocks(); });

describe('a lease', () => {
  test('is released by `using` it', async () => {
    const h = open();
    (await h.registry.acquire('a'))[Symbol.dispose]();
    expect(h.registry.snapshot()).toMatchObject({ idle: 1, leased: 0 });
  });

  test('has no effect on retire once it is released', async () => {
    const h = open();
    const lease = await h.registry.acquire('a');
    lease.release();
    lease.retire('too late');
    await h.settle();
    expect(disposed(h)).toEqual([]);
    expect(h.eventsOf('retired')).toEqual([]);
  });

  test('has the reason of the dispose on its signal', async () => {
    const h = open({ drainTimeoutMs: 100 });
    const lease = await h.registry.acquire('a');
    const early = lease.signal;
    h.registry.invalidate('a');
    await h.clock.advance(100);
    expect(early.reason.message).toMatch(/'a'.*drain deadline has passed/);
  });
});

describe('an instance of a factory without dispose', () => {
  test('ends without a failure', async () => {
    const h = open({ factory: { dispose: undefined } as never });
    await h.registry.use('a', () => {});
    await h.registry.invalidate('a');
    expect(h.eventsOf('disposeFailed')).toEqual([]);
    expect(h.eventsOf('disposed')).toHaveLength(1);
  });
});

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

describe('the end of an instance', () => {
  test('keeps the process alive for its drain deadline and its dispose', async () => {
    const h = open({ drainTimeoutMs: 100, disposeTimeoutMs: 100 });
    const lease = await h.registry.acquire('a');
    h.registry.invalidate('a');
    expect(h.clock.pendingRefTimers).toBe(1);
    h.holdDispose();
    lease.release();
    await h.settle();
    expect(h.clock.pendingTimers).toBe(1);
    expect(h.clock.pendingRefTimers).toBe(1);
  });

  test('is immediate if its dispose and its clean-ups are synchronous', async () => {
    const h = open();
    await h.registry.use('a', () => {});
    h.contexts[0]!.onDispose(() => { h.log.push('cleaned up'); });
    h.registry.invalidate('a');
    expect(h.log).toEqual(['create a@v1', 'dispose a@v1 invalidated', 'cleaned up']);
    expect(h.eventsOf('disposed')).toHaveLength(1);
    expect(h.registry.snapshot().connections).toEqual([]);
  });

  test('reports a dispose that settles after disposeTimeoutMs once', async () => {
    const h = open({ disposeTimeoutMs: 100 });
    const slow = h.holdDispose();
    await h.registry.use('a', () => {});
    h.registry.invalidate('a');
    await h.clock.advance(100);
    slow.resolve();
    await h.settle();
    expect(h.eventsOf('disposed').map(({ reason }) => reason)).toEqual(['invalidated']);
    expect(h.eventsOf('disposeFailed')).toHaveLength(1);
  });

  test('with disposeTimeoutMs: Infinity is awaited without a timer', async () => {
    const h = open({ disposeTimeoutMs: Infinity, idleTimeoutMs: Infinity });
    const slow = h.holdDispose();
    await h.registry.use('a', () => {});
    h.registry.invalidate('a');
    await h.settle();
    expect(h.clock.pendingTimers).toBe(0);
    slow.resolve();
    await h.settle();
    expect(h.eventsOf('disposed')).toHaveLength(1);
  });
});

describe('a clean-up that is registered long after create has returned', () => {
  const late = async (h: Harness): Promise<(name: string) => void> => {
    const lease = await h.registry.acquire('a');
    lease.release();
    return (name) => h.contexts[0]?.onDispose(() => { h.log.push(name); });
  };

  test('runs when a live instance is disposed of, after those that were registered later', async () => {
    const h = open();
    const onDispose = await late(h);
    onDispose('first');
    onDispose('second');
    await h.settle();
    expect(h.log).toEqual(['create a@v1']);
    h.registry.invalidate('a');
    await h.settle();
    expect(h.log).toEqual(['create a@v1', 'dispose a@v1 invalidated', 'second', 'first']);
  });

  test('runs when a draining one is disposed of', async () => {
    const h = open();
    const onDispose = await late(h);
    onDispose('live');
    const lease = await h.registry.acquire('a');
    h.registry.invalidate('a');
    onDispose('draining');
    await h.settle();
    expect(h.log).toEqual(['create a@v1']);
    lease.release();
    await h.settle();
    expect(h.log).toEqual(['create a@v1', 'dispose a@v1 invalidated', 'draining', 'live']);
  });

  test('runs at once when the instance is gone, and its failure is reported', async () => {
    const h = open();
    const onDispose = await late(h);
    h.registry.invalidate('a');
    await h.settle();
    onDispose('gone');
    h.contexts[0]?.onDispose(() => { throw new Error('no'); });
    await h.settle();
    expect(h.log.at(-1)).toBe('gone');
    expect(h.eventsOf('disposeFailed')).toMatchObject([{ id: 'a', version: 'v1', error: { message: 'no' } }]);
  });
});

describe('an instance that reports its own death', () => {
  test.each([
    { by: 'itself', code: 'BACKING_OFF', retryAfterMs: 500 * 2 ** (-300 / 120_000) },
    { by: 'its user', code: 'BACKING_OFF', retryAfterMs: 500 },
  ])('by $by is backed off from for $retryAfterMs ms', async ({ by, code, retryAfterMs }) => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const h = open({ failureBackoff: { initialMs: 500, maxMs: 60_000 } });
    const lease = await h.registry.acquire('a');
    await h.clock.advance(300);
    if (by === 'itself') h.contexts[0]?.retire('dead');
    else lease.retire('dead');
    await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code, retryAfterMs });
  });
});
