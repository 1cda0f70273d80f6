import { beforeEach, describe, expect, test } from 'vitest';
import { ConnectionError } from '../../src/errors.js';
import { deferred } from '../support/deferred.js';
import { HoldingBench, seen, serve } from './support/holding-bench.js';

let bench: HoldingBench;

const formatNotes = (notes: object): string => JSON.stringify(notes);

beforeEach(() => { bench = new HoldingBench(); });

describe('starts that fail', () => {
  test('are reported, noted and retried; the third is handed over if another replica lives', async () => {
    const failure = new Error('no');
    bench.run = async () => { throw failure; };
    const one = bench.holding({ listed: '1' });
    await bench.clock.advance(0);
    expect({ seen: seen(one, bench.clock), failures: one.failures, unsaved: one.notes.unsaved }).toEqual({
      seen: { state: 'waiting', counts: true, renewable: true },
      failures: 1,
      unsaved: formatNotes({ provisioned: undefined, failed: { version: '1', count: 1 } }),
    });
    expect(bench.clock.pendingRefTimers).toBe(1);
    one.notes.saved('another');
    expect(one.notes.unsaved).toBeDefined();
    one.notes.saved(one.notes.unsaved as string);
    expect(one.notes.unsaved).toBeUndefined();
    await bench.clock.advance(100);
    await bench.clock.advance(200);
    expect(bench.happened('startFailed')).toMatchObject([
      { failures: 1, retryAfterMs: 100, handedOver: false, error: failure },
      { failures: 2, retryAfterMs: 200, handedOver: false, error: failure },
      { failures: 3, retryAfterMs: 400, handedOver: true, error: failure },
    ]);
    expect({ release: one.releaseWith, ended: bench.happened('ended') }).toEqual({
      release: {
        notes: formatNotes({ provisioned: undefined, failed: { version: '1', count: 3 } }),
        offer: { notTo: 'r', forMs: 9_000 },
      },
      ended: [{ id: 'a', token: 7n, reason: 'failed' }],
    });
  });

  test('are not handed over if no other replica lives', async () => {
    bench.others = false;
    bench.run = async () => { throw new Error('no'); };
    const one = bench.holding();
    await bench.clock.advance(300);
    expect(one).toMatchObject({ failures: 3, state: 'waiting' });
  });

  test('include a run that ends by itself', async () => {
    bench.run = async () => {};
    bench.holding();
    await bench.clock.advance(0);
    expect(bench.happened('startFailed')[0].error.message).toBe('run has ended before its signal aborted');
  });

  test('are retried at once when another version is listed, but not for the same version or none', async () => {
    bench.run = async () => { throw new Error('no'); };
    const one = bench.holding({ listed: '1' });
    await bench.clock.advance(0);
    one.relisted('1');
    one.relisted(undefined);
    one.relisted('1');
    expect(one.state).toBe('waiting');
    bench.run = serve;
    bench.version = '2';
    one.relisted('2');
    expect({ state: one.state, pendingTimers: bench.clock.pendingTimers }).toEqual({ state: 'queued', pendingTimers: 0 });
    await bench.clock.advance(0);
    expect(one.state).toBe('serving');
  });

  test('do not include a registry that closes: it ends the runner', async () => {
    bench.acquire = async () => { throw new ConnectionError('REGISTRY_CLOSED', 'closing'); };
    const one = bench.holding();
    await bench.clock.advance(0);
    expect({ closed: bench.closed, failures: one.failures, events: bench.events }).toEqual({
      closed: 1,
      failures: 0,
      events: [],
    });
  });

  test('are forgiven one by one while it serves, and the notes say so', async () => {
    const one = bench.holding({ notes: formatNotes({ failed: { version: '0', count: 2 } }), listed: '1' });
    await bench.clock.advance(119_999);
    one.check();
    expect({ failures: one.failures, unsaved: one.notes.unsaved }).toEqual({ failures: 2, unsaved: undefined });
    await bench.clock.advance(1);
    one.check();
    one.check();
    expect({ failures: one.failures, unsaved: one.notes.unsaved }).toEqual({
      failures: 1,
      unsaved: formatNotes({ failed: { version: '0', count: 1 } }),
    });
    await bench.clock.advance(120_000);
    one.check();
    expect({ failures: one.failures, unsaved: one.notes.unsaved }).toEqual({ failures: 0, unsaved: formatNotes({}) });
  });

  test('are forgiven when it stops serving, too', async () => {
    const one = bench.holding({ notes: formatNotes({ failed: { version: '1', count: 3 } }), listed: '2' });
    await bench.clock.advance(240_000);
    one.giveUp('stopped');
    await bench.clock.advance(0);
    expect(one.releaseWith).toMatchObject({ notes: formatNotes({ failed: { version: '1', count: 1 } }) });
  });

  test('leave no timer if the holding is given up while it waits', async () => {
    bench.run = async () => { throw new Error('no'); };
    const one = bench.holding();
    await bench.clock.advance(0);
    one.giveUp('stopped');
    expect({ state: one.state, pendingTimers: bench.clock.pendingTimers }).toEqual({ state: 'settled', pendingTimers: 0 });
  });
});

describe('provision', () => {
  test('comes before run, once per version, and is noted', async () => {
    const given: unknown[] = [];
    const one = bench.holding({
      provision: async (record, { token, instance, signal, assertHeld }) => {
        assertHeld();
        given.push([record.version, token, instance, signal.aborted]);
      },
    });
    await bench.clock.advance(0);
    expect({ given, provisioned: bench.happened('provisioned'), unsaved: one.notes.unsaved }).toEqual({
      given: [['1', 7n, 'instance', false]],
      provisioned: [{ id: 'a', token: 7n, version: '1' }],
      unsaved: formatNotes({ provisioned: '1', failed: undefined }),
    });
    const again = bench.holding({
      notes: formatNotes({ provisioned: '1', failed: undefined }),
      provision: async () => {
        given.push('again');
      },
    });
    await bench.clock.advance(0);
    expect({ state: again.state, given: given.length, pendingTimers: bench.clock.pendingTimers }).toEqual({
      state: 'serving',
      given: 1,
      pendingTimers: 0,
    });
  });

  test('that does not settle in time is a failed start, and blocks no other start', async () => {
    bench = new HoldingBench({ maxConcurrentStarts: 1 });
    const gone = deferred();
    const [slow, next] = [bench.holding({ provision: () => gone.promise }), bench.holding()];
    await bench.clock.advance(0);
    expect({
      slow: slow.state,
      next: next.state,
      pendingTimers: bench.clock.pendingTimers,
      pendingRefTimers: bench.clock.pendingRefTimers,
    }).toEqual({
      slow: 'working',
      next: 'queued',
      pendingTimers: 1,
      pendingRefTimers: 1,
    });
    await bench.clock.advance(2_000);
    expect({ slow: slow.state, next: next.state }).toEqual({ slow: 'stopping', next: 'serving' });
    gone.resolve();
    await bench.clock.advance(0);
    expect(bench.happened('startFailed')[0].error.message).toBe('provision has not settled within 2000 ms');
    expect(bench.happened('provisioned')).toEqual([]);
  });
});
