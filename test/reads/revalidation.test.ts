import type { ConnectionRecord, ConnectionStore } from 'hydrant';
import { ManualClock } from 'hydrant/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ConnectionError } from '../../src/errors.js';
import type { Reader } from '../../src/reads/reader.js';
import { Environment } from '../../src/environment.js';
import { Revalidation } from '../../src/reads/revalidation.js';
import type { BackgroundWaiter } from '../../src/reads/waiters.js';
import { deferred } from '../support/deferred.js';
import { GivenHints } from '../support/given-hints.js';

const down = new ConnectionError('STORE_UNAVAILABLE', 'down');
const broken = new ConnectionError('INVALID_RECORD', 'broken');

let clock: ManualClock;
let index: Map<string, unknown>;
let asked: { id: string; kind: string; waiter: BackgroundWaiter<ConnectionRecord> | undefined }[];
let failures: unknown[];
let forgotten: string[];

function open(watch?: ConnectionStore['watch'], sweepIntervalMs = 1_000): Revalidation<ConnectionRecord> {
  const env = new Environment<ConnectionRecord, unknown>({
    clock,
    sweepIntervalMs,
    store: { get: async () => undefined, ...(watch === undefined ? {} : { watch }) },
  } as never);
  env.emit = (event, payload) => { if (event === 'storeFailed') failures.push((payload as { error: unknown }).error); };
  const reader = {
    request: (id: string, kind: string, waiter: BackgroundWaiter<ConnectionRecord> | undefined) => {
      asked.push({ id, kind, waiter });
    },
    doubtAll: () => {},
    markDoubtful: (id: string) => id === 'on the wire',
  } as unknown as Reader<ConnectionRecord>;
  const unknown = { forget: (id: string) => { forgotten.push(id); }, forgetAll: () => { forgotten.push('all'); } } as never;
  const revalidation = new Revalidation<ConnectionRecord>(env, index, reader, unknown);
  revalidation.start();
  return revalidation;
}
const live = (count: number): void => { for (let id = 0; id < count; id += 1) index.set(`c${id}`, {}); };
/** Answers all open reads, and returns their number. */
const answer = async (how: (at: number) => ConnectionError | undefined = () => undefined): Promise<number> => {
  const all = asked.splice(0);
  all.forEach(({ waiter }, at) => { const error = how(at); if (error === undefined) waiter?.found(); else waiter?.fail(error); });
  for (let turn = 0; turn < 3; turn += 1) await clock.advance(0);
  return all.length;
};

beforeEach(() => {
  clock = new ManualClock();
  [index, asked, failures, forgotten] = [new Map(), [], [], []];
});
afterEach(() => { vi.restoreAllMocks(); });

describe('a sweep', () => {
  test('asks for the versions of all live instances, a thousand at a time, one query after the other', async () => {
    live(2_500);
    open();
    await clock.advance(1_000);
    expect(new Set(asked.map(({ kind }) => kind))).toEqual(new Set(['version']));
    expect([await answer(), await answer(), await answer(), await answer()]).toEqual([1_000, 1_000, 500, 0]);
  });

  test('ends if none of a thousand was answered, but not because of rows that cannot be read', async () => {
    live(1_500);
    open();
    await clock.advance(1_000);
    expect([await answer(() => down), await answer()]).toEqual([1_000, 0]);
    await clock.advance(1_000);
    expect([await answer((at) => at === 0 ? undefined : down), await answer()]).toEqual([1_000, 500]);
    await clock.advance(1_000);
    expect([await answer(() => broken), await answer()]).toEqual([1_000, 500]);
  });

  test('ends when the live instances are gone meanwhile', async () => {
    live(1_500);
    open();
    await clock.advance(1_000);
    for (let id = 1_100; id < 1_500; id += 1) index.delete(`c${id}`);
    expect(await answer()).toBe(1_000);
    expect(asked.map(({ id }) => id)).not.toContain(undefined);
    expect([await answer(), await answer()]).toEqual([100, 0]);
    await clock.advance(1_000);
    expect(await answer()).toBe(1_000);
  });

  test('that is requested while one runs follows it, once', async () => {
    const hints = new GivenHints();
    live(2);
    open(hints.watch);
    await clock.advance(1_000);
    hints.gap();
    hints.gap();
    expect([await answer(), await answer(), await answer()]).toEqual([2, 2, 0]);
    expect(forgotten).toEqual(['all', 'all']);
  });

  test('does not continue or start again once the registry has stopped it', async () => {
    const hints = new GivenHints();
    live(1_500);
    const revalidation = open(hints.watch);
    await clock.advance(1_000);
    hints.gap();
    await revalidation.stop();
    hints.gap();
    hints.changed(['c1']);
    expect([await answer(), await answer()]).toEqual([1_000, 0]);
    await clock.advance(10_000);
    expect(asked).toEqual([]);
    expect(forgotten).toEqual(['all']);
    expect(clock.pendingTimers).toBe(0);
  });

  test.each([0, Infinity])('never runs with sweepIntervalMs: %s', (sweepIntervalMs) => {
    open(undefined, sweepIntervalMs);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a hint', () => {
  test('causes a read of live connections and of rows that are being read', async () => {
    const hints = new GivenHints();
    live(1);
    open(hints.watch);
    await clock.advance(0);
    hints.changed(['c0', 'on the wire', 'unheard of']);
    expect(asked).toEqual([
      { id: 'c0', kind: 'version', waiter: undefined },
      { id: 'on the wire', kind: 'version', waiter: undefined },
    ]);
    expect(forgotten).toEqual(['c0', 'on the wire', 'unheard of']);
  });

  test.each([[undefined], [null], ['c0'], [7], [{}], [['c0', 5]], [[null]]])('that is odd counts as a gap: %j', async (odd) => {
    const hints = new GivenHints();
    live(2);
    open(hints.watch);
    await clock.advance(0);
    hints.changed(odd as never);
    expect(asked.map(({ id }) => id)).toEqual(['c0', 'c1']);
    expect(forgotten).toEqual(['all']);
  });
});

describe('a subscription', () => {
  test.each([
    { jitter: 0, times: [0, 500, 1_500, 3_500] },
    { jitter: 1, times: [0, 1_000, 3_000, 7_000] },
  ])('that fails is retried with growing delays: with a jitter of $jitter at $times', async ({ jitter, times }) => {
    vi.spyOn(Math, 'random').mockReturnValue(jitter);
    const tried: number[] = [];
    open(async () => {
      tried.push(clock.monotonic());
      throw new Error('no route');
    }, 0);
    await clock.advance(7_000);
    expect(tried).toEqual(times);
    expect(clock.pendingRefTimers).toBe(0);
    await clock.advance(10 * 60_000);
    const last = tried.slice(-2) as [number, number];
    expect(last[1] - last[0]).toBe(60_000 * (0.5 + jitter / 2));
  });

  test('that fails after the end is ignored', async () => {
    const gate = deferred<AsyncDisposable>();
    const revalidation = open(() => gate.promise, 0);
    const stopped = revalidation.stop();
    gate.reject(new Error('closed'));
    await stopped;
    await clock.advance(0);
    expect({ failures, pendingTimers: clock.pendingTimers }).toEqual({ failures: [], pendingTimers: 0 });
  });

  test('that cannot be ended is reported', async () => {
    const failure = new Error('no');
    const revalidation = open(async () => ({ [Symbol.asyncDispose]: async () => { throw failure; } }), 0);
    await revalidation.stop();
    expect(failures).toEqual([failure]);
  });

  test('is optional', async () => {
    await open(undefined, 0).stop();
    expect(failures).toEqual([]);
  });
});
