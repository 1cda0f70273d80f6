import { ManualClock } from 'hydrant/testing';
import { describe, expect, test } from 'vitest';
import { Hints } from '../../src/exclusive/hints.js';
import { Hold } from '../../src/exclusive/hold.js';
import { answeredWithin as within } from '../../src/exclusive/answered.js';
import { deferred } from '../support/deferred.js';

describe('a hold', () => {
  test('lasts from when its proof was asked for, by whichever clock has gone further, and proofs do not go back', async () => {
    const clock = new ManualClock();
    const at = (monotonic: number) => ({ monotonic, wall: 1_700_000_000_000 + monotonic });
    await clock.advance(100);
    const hold = new Hold(1n, at(100), 50, clock);
    hold.prove(at(40));
    expect(hold.remainingMs).toBe(50);
    clock.jumpWall(30);
    expect([hold.remainingMs, hold.held]).toEqual([20, true]);
    clock.jumpWall(-60);
    await clock.advance(50);
    expect([hold.remainingMs, hold.held]).toEqual([0, false]);
    hold.prove(at(150));
    expect([hold.remainingMs, hold.held, hold.ended]).toEqual([50, true, false]);
    hold.end();
    expect([hold.held, hold.ended]).toEqual([false, true]);
  });
});

describe('a call to the claim store', () => {
  test('has its time, which holds the process open, and is told when that is over', async () => {
    const clock = new ManualClock();
    let signal: AbortSignal | undefined;
    const call = within(clock, 100, (options) => { signal = options.signal; return new Promise(() => {}); });
    call.catch(() => {});
    expect([clock.pendingTimers, clock.pendingRefTimers]).toEqual([1, 1]);
    await clock.advance(100);
    await expect(call).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', message: 'No answer within 100 ms' });
    expect(signal?.reason).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    for (const outcome of [() => 1, async () => 1]) expect(await within(clock, 100, outcome)).toBe(1);
    await expect(within(clock, 100, () => { throw new Error('at once'); })).rejects.toThrow('at once');
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('hints of the claim store', () => {
  test('are asked for again after a failure, but not after the end', async () => {
    const clock = new ManualClock();
    const failures: unknown[] = [];
    let tries = 0;
    let disposed = 0;
    const hints = new Hints({ clock, retryMs: 100, failed: (error) => failures.push(error), subscribe: async () => { tries += 1; if (tries < 3) throw new Error('no'); return { [Symbol.asyncDispose]: async () => { disposed += 1; } }; } });
    await clock.advance(99);
    expect([tries, clock.pendingTimers, clock.pendingRefTimers]).toEqual([1, 1, 1]);
    await clock.advance(101);
    expect([tries, failures.length]).toEqual([3, 2]);
    await hints.stop();
    expect(disposed).toBe(1);

    const gate = deferred<AsyncDisposable>();
    const late = new Hints({ clock, retryMs: 100, failed: (error) => failures.push(error), subscribe: () => gate.promise });
    const stopped = late.stop();
    gate.reject(new Error('after the end'));
    await stopped;
    const waiting = new Hints({ clock, retryMs: 100, failed: () => {}, subscribe: async () => { throw new Error('no'); } });
    await clock.advance(0);
    await waiting.stop();
    expect([failures.length, clock.pendingTimers]).toEqual([2, 0]);
  });
});
