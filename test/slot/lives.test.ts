import { afterEach, describe, expect, test, vi } from 'vitest';
import { Harness } from '../support/harness.js';
import { disposed, open } from './support/open.js';

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
