import { beforeEach, describe, expect, test } from 'vitest';
import { ConnectionError } from '../../src/errors.js';
import { deferred } from '../support/deferred.js';
import { HoldingBench, serve } from './support/holding-bench.js';

let bench: HoldingBench;

beforeEach(() => { bench = new HoldingBench(); });

const hang = (): Promise<never> => new Promise(() => undefined);
const fail = async (): Promise<void> => { throw new Error('no'); };

describe('an edit', () => {
  test('that comes while the record is being read does not restart an attempt that read it', async () => {
    const answer = deferred();
    const read = bench.acquire;
    bench.acquire = async () => { await answer.promise; return read(); };
    const one = bench.holding({ listed: '1' });
    await bench.clock.advance(0);
    one.relisted('2');
    bench.version = '2';
    answer.resolve();
    await bench.clock.advance(0);
    expect({ state: one.state, version: one.version, released: bench.lease.released }).toEqual({
      state: 'serving',
      version: '2',
      released: 0,
    });
  });

  test('of a queued connection leaves it its place in the queue', async () => {
    bench = new HoldingBench({ maxConcurrentStarts: 1 });
    bench.run = fail;
    const edited = bench.holding({ listed: '1' });
    await bench.clock.advance(0);
    bench.acquire = hang;
    bench.holding();
    await bench.clock.advance(100);
    const last = bench.holding();
    edited.relisted('2');
    expect({ edited: edited.state, last: last.state }).toEqual({ edited: 'queued', last: 'queued' });
    bench.starts.at(-1)!();
    await bench.clock.advance(0);
    expect({ edited: edited.state, last: last.state }).toEqual({ edited: 'working', last: 'queued' });
  });

  test('that the listing does not have yet does not shorten the back-off', async () => {
    bench.run = fail;
    bench.version = '2';
    const one = bench.holding({ listed: '1' });
    await bench.clock.advance(0);
    one.relisted('1');
    expect(one.state).toBe('waiting');
  });

  test('of a record that was stopped ends the wait, even without a failure', async () => {
    const read = bench.acquire;
    bench.acquire = async () => { throw new ConnectionError('CONNECTION_STOPPED', 'stopped'); };
    const one = bench.holding({ listed: '1' });
    await bench.clock.advance(0);
    expect(one).toMatchObject({ state: 'waiting', failures: 0 });
    bench.acquire = read;
    one.relisted('2');
    await bench.clock.advance(0);
    expect(one.state).toBe('serving');
  });
});

describe('a holding that is stopping', () => {
  test('because its instance died does not restart when it is given up meanwhile', async () => {
    const gone = deferred();
    bench.run = () => gone.promise;
    const one = bench.holding();
    await bench.clock.advance(0);
    bench.lease.stale = true;
    one.check();
    one.giveUp('unlisted');
    gone.resolve();
    await bench.clock.advance(0);
    expect({ state: one.state, ended: bench.happened('ended') }).toEqual({
      state: 'settled',
      ended: [{ id: 'a', token: 7n, reason: 'unlisted' }],
    });
  });

  test('for a hand-over is still handed over when the runner stops meanwhile', async () => {
    const one = bench.holding();
    await bench.clock.advance(0);
    one.giveUp('handedOver', () => ({ to: 's', forMs: 3 }));
    one.giveUp('stopped');
    await bench.clock.advance(0);
    expect({ release: one.releaseWith, ended: bench.happened('ended') }).toEqual({
      release: { notes: undefined, offer: { to: 's', forMs: 3 } },
      ended: [{ id: 'a', token: 7n, reason: 'handedOver' }],
    });
  });

  test.each([
    { end: 'lose', reason: 'lost', release: 'none' },
    { end: 'expire', reason: 'expired', release: { notes: undefined, offer: undefined } },
  ] as const)('that is stuck when its claim ends ($end) is $reason', async ({ end, reason, release }) => {
    const gone = deferred();
    bench.run = () => gone.promise;
    const one = bench.holding({ listed: '1' });
    await bench.clock.advance(0);
    one.relisted('2');
    await bench.clock.advance(1_000);
    expect(one.state).toBe('stuck');
    one[end]();
    gone.resolve();
    await bench.clock.advance(0);
    expect({ release: one.releaseWith, ended: bench.happened('ended') }).toEqual({
      release,
      ended: [{ id: 'a', token: 7n, reason }],
    });
  });
});

describe('an attempt', () => {
  test.each([
    { how: 'that fails', provision: undefined, afterMs: 0 },
    {
      how: 'that is overdue and then settles',
      provision: (signal: AbortSignal) =>
        new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve());
        }),
      afterMs: 2_000,
    },
  ])('that $how lets one other start, not two', async ({ provision, afterMs }) => {
    bench = new HoldingBench({ maxConcurrentStarts: 1 });
    bench.run = fail;
    const ended = bench.holding({
      startBackoff: { initialMs: 60_000, maxMs: 60_000 },
      ...(provision === undefined ? {} : { provision: (_record, { signal }) => provision(signal) }),
    });
    await bench.clock.advance(afterMs);
    bench.acquire = hang;
    const [second, third] = [bench.holding(), bench.holding()];
    await bench.clock.advance(0);
    expect({ ended: ended.state, second: second.state, third: third.state }).toEqual({
      ended: 'waiting', second: 'working', third: 'queued',
    });
  });

  test('that ends by itself counts against the version it served, where the listing names none', async () => {
    bench.run = async () => undefined;
    bench.holding();
    await bench.clock.advance(0);
    expect(bench.happened('startFailed')).toMatchObject([{ version: '1', failures: 1 }]);
  });

  test('that is about to restart costs as much to move as one that runs', async () => {
    bench = new HoldingBench({ maxConcurrentStarts: 1 });
    bench.run = fail;
    const again = bench.holding();
    await bench.clock.advance(0);
    bench.acquire = hang;
    bench.holding();
    await bench.clock.advance(100);
    expect({ state: again.state, moveCost: again.moveCost(0) }).toEqual({ state: 'queued', moveCost: 2 });
  });

  test('that never fails has nothing to note, however long it serves', async () => {
    bench.run = serve;
    const one = bench.holding();
    await bench.clock.advance(60_000);
    one.check();
    expect({ state: one.state, unsaved: one.notes.unsaved }).toEqual({ state: 'serving', unsaved: undefined });
  });
});
