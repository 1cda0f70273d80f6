import { beforeEach, describe, expect, test } from 'vitest';
import { snapshotOf } from '../../src/exclusive/snapshot.js';
import { readInstant } from '../../src/exclusive/validity.js';
import { deferred } from '../support/deferred.js';
import { aborted } from './support/cluster.js';
import { HoldingBench, seen, serve } from './support/holding-bench.js';

let bench: HoldingBench;

const formatNotes = (notes: object): string => JSON.stringify(notes);

beforeEach(() => { bench = new HoldingBench(); });

describe('a holding', () => {
  test('starts, serves, stops and is released with its notes', async () => {
    const one = bench.holding();
    expect({ seen: seen(one, bench.clock), version: one.version, moveCost: one.moveCost(0) }).toEqual({
      seen: { state: 'queued', counts: true, renewable: true },
      version: undefined,
      moveCost: 0,
    });
    await bench.clock.advance(0);
    expect({ seen: seen(one, bench.clock), version: one.version, release: one.releaseWith }).toEqual({
      seen: { state: 'serving', counts: true, renewable: true },
      version: '1',
      release: undefined,
    });
    expect(snapshotOf(one)).toEqual({ id: 'a', state: 'serving', token: '7', version: '1', failures: 0, heldForMs: 1_000_000 });
    one.giveUp('handedOver', () => ({ to: 's', forMs: 3 }));
    expect(seen(one, bench.clock)).toEqual({ state: 'stopping', counts: false, renewable: true });
    expect(bench.tenure?.signal.reason).toMatchObject({ name: 'AbortError', message: expect.stringContaining('(handedOver)') });
    await bench.clock.advance(0);
    expect({ seen: seen(one, bench.clock), release: one.releaseWith, over: bench.over, released: bench.lease.released }).toEqual({
      seen: { state: 'settled', counts: false, renewable: false },
      release: { notes: undefined, offer: { to: 's', forMs: 3 } },
      over: 1,
      released: 1,
    });
    expect(bench.events).toEqual([
      { event: 'started', payload: { id: 'a', token: 7n, version: '1' } },
      { event: 'ended', payload: { id: 'a', token: 7n, reason: 'handedOver' } },
    ]);
    expect(bench.clock.pendingTimers).toBe(0);
    expect(snapshotOf(one).heldForMs).toBe(0);
  });

  test.each([
    { reason: 'lost', release: 'none' },
    { reason: 'expired', release: { notes: undefined, offer: undefined } },
  ] as const)('that is $reason ends at once, and releases $release', async ({ reason, release }) => {
    const one = bench.holding();
    await bench.clock.advance(0);
    if (reason === 'lost') one.lose();
    else one.expire();
    expect(one.renewableAt(readInstant(bench.clock))).toBe(false);
    expect(bench.tenure?.signal.reason).toMatchObject({ code: 'CLAIM_LOST' });
    await bench.clock.advance(0);
    expect(one.releaseWith).toEqual(release);
    expect(bench.happened('ended')).toMatchObject([{ reason }]);
  });

  test('is not renewed from its deadline on, even if no timer has noticed yet', () => {
    const one = bench.holding();
    bench.clock.jumpWall(999_999);
    expect(one.renewableAt(readInstant(bench.clock))).toBe(true);
    bench.clock.jumpWall(1);
    expect({ ended: one.validity.ended, renewable: one.renewableAt(readInstant(bench.clock)) }).toEqual({
      ended: false,
      renewable: false,
    });
  });

  test('that never started is given up without an event', () => {
    const one = bench.holding();
    one.giveUp('stopped');
    expect({ seen: seen(one, bench.clock), events: bench.events, over: bench.over }).toEqual({
      seen: { state: 'settled', counts: false, renewable: false },
      events: [],
      over: 1,
    });
    one.giveUp('unlisted');
    expect(bench.over).toBe(1);
  });

  test('that is given up while queued leaves its place to others', async () => {
    bench = new HoldingBench({ maxConcurrentStarts: 1 });
    bench.run = () => new Promise(() => {});
    bench.acquire = () => new Promise(() => {});
    const [first, second, third] = [bench.holding(), bench.holding(), bench.holding()];
    await bench.clock.advance(0);
    expect({ first: first.state, second: second.state, third: third.state }).toEqual({
      first: 'working', second: 'queued', third: 'queued',
    });
    second.giveUp('stopped');
    bench.starts[0]!();
    await bench.clock.advance(0);
    expect({ second: second.state, third: third.state }).toEqual({ second: 'settled', third: 'working' });
  });

  test('that stops for an edit still counts, and restarts with the new version', async () => {
    const one = bench.holding({ listed: '1' });
    const gone = deferred();
    bench.run = async (now) => { await aborted(now.signal); await gone.promise; };
    await bench.clock.advance(0);
    one.relisted('2');
    bench.version = '2';
    expect({ seen: seen(one, bench.clock), moveCost: one.moveCost(0) }).toEqual({
      seen: { state: 'stopping', counts: true, renewable: true },
      moveCost: undefined,
    });
    expect(bench.tenure?.signal.reason).toMatchObject({ message: expect.stringContaining('(restart)') });
    expect(bench.clock.pendingRefTimers).toBe(1);
    gone.resolve();
    bench.run = serve;
    await bench.clock.advance(0);
    expect({ seen: seen(one, bench.clock), version: one.version, over: bench.over }).toEqual({
      seen: { state: 'serving', counts: true, renewable: true },
      version: '2',
      over: 0,
    });
    one.relisted('2');
    one.relisted(undefined);
    expect(one.state).toBe('serving');
  });

  test('stops at the next check after its instance died', async () => {
    const one = bench.holding();
    await bench.clock.advance(0);
    one.check();
    expect(one.state).toBe('serving');
    bench.lease.stale = true;
    one.check();
    expect(one.state).toBe('stopping');
  });

  test('that does not stop in time is stuck, no longer counts, and is released when it stops after all', async () => {
    for (const { ending, reason } of [
      { ending: 'restart', reason: 'failed' },
      { ending: 'release', reason: 'unlisted' },
    ] as const) {
      bench = new HoldingBench();
      const gone = deferred();
      bench.run = async () => gone.promise;
      const one = bench.holding({ listed: '1' });
      await bench.clock.advance(0);
      if (ending === 'restart') one.relisted('2');
      else one.giveUp('unlisted');
      await bench.clock.advance(999);
      expect({ state: one.state, stopUnproven: bench.happened('stopUnproven') }).toEqual({ state: 'stopping', stopUnproven: [] });
      await bench.clock.advance(1);
      expect({
        seen: seen(one, bench.clock),
        stopUnproven: bench.happened('stopUnproven'),
        over: bench.over,
        release: one.releaseWith,
      }).toEqual({
        seen: { state: 'stuck', counts: false, renewable: false },
        stopUnproven: [{ id: 'a', token: 7n }],
        over: 1,
        release: undefined,
      });
      gone.resolve();
      await bench.clock.advance(0);
      expect({ seen: seen(one, bench.clock), ended: bench.happened('ended'), over: bench.over }).toEqual({
        seen: { state: 'settled', counts: false, renewable: false },
        ended: [{ id: 'a', token: 7n, reason }],
        over: 2,
      });
    }
  });

  test('is not released if its claim is lost while its loop stops: the more final ending counts', async () => {
    const gone = deferred();
    bench.run = async () => gone.promise;
    const one = bench.holding();
    await bench.clock.advance(0);
    one.lose();
    one.giveUp('stopped');
    gone.resolve();
    await bench.clock.advance(0);
    expect({ release: one.releaseWith, ended: bench.happened('ended') }).toEqual({
      release: 'none',
      ended: [{ id: 'a', token: 7n, reason: 'lost' }],
    });
  });
});

describe('the cost of moving a holding', () => {
  test('is undefined during the cool-down, then lower while it waits than while it serves', async () => {
    const serving = bench.holding();
    bench.run = async () => { throw new Error('no'); };
    const waiting = bench.holding({ startBackoff: { initialMs: 60_000, maxMs: 60_000 } });
    const inherited = bench.holding({
      notes: formatNotes({ failed: { version: '1', count: 5 }, provisioned: undefined }),
      listed: '1',
      startBackoff: { initialMs: 60_000, maxMs: 60_000 },
    });
    expect(inherited.state).toBe('waiting');
    await bench.clock.advance(0);
    bench.run = serve;
    await bench.clock.advance(499);
    expect({
      state: waiting.state,
      serving: serving.moveCost(500),
      waiting: waiting.moveCost(500),
      inherited: inherited.moveCost(500),
    }).toEqual({
      state: 'waiting',
      serving: undefined,
      waiting: undefined,
      inherited: undefined,
    });
    await bench.clock.advance(1);
    expect({
      state: serving.state,
      serving: serving.moveCost(500),
      waiting: waiting.moveCost(500),
      inherited: inherited.moveCost(500),
    }).toEqual({
      state: 'serving',
      serving: 2,
      waiting: 1,
      inherited: 1,
    });
  });
});
