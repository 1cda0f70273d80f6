import { ManualClock } from 'hydrant/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { ConnectionError } from '../../src/errors.js';
import { StartGate } from '../../src/exclusive/gate.js';
import { Hold } from '../../src/exclusive/hold.js';
import { Holding } from '../../src/exclusive/holding.js';
import type { HoldingHost } from '../../src/exclusive/holding-host.js';
import { formatNotes } from '../../src/exclusive/notes.js';
import { snapshotOf } from '../../src/exclusive/snapshot.js';
import type { Tenure } from '../../src/exclusive/tenure.js';
import { deferred } from '../support/deferred.js';
import { aborted } from './support/cluster.js';

type Row = { id: string; version: string; status: 'active' };
type Host = HoldingHost<Row, string>;

let clock: ManualClock;
let events: [string, any][];
let over: number;
let closed: number;
let others: boolean;
let version: string;
let lease: { stale: boolean; released: number };
let gate: StartGate;
let tenure: Tenure<Row, string> | undefined;
let run: (tenure: Tenure<Row, string>) => Promise<void>;
let acquire: () => Promise<unknown>;

const serve = async ({ signal }: Tenure<Row, string>): Promise<void> => { await aborted(signal); };
const happened = (name: string): any[] => events.filter(([event]) => event === name).map(([, payload]) => payload);

function holding({ notes, listed, limits, provision }: { notes?: string; listed?: string; limits?: Partial<Host['limits']>; provision?: Host['duties']['provision'] } = {}): Holding<Row, string> {
  return new Holding<Row, string>({ id: 'a', token: 7n, notes }, new Hold(7n, { monotonic: clock.monotonic(), wall: clock.now() }, 1_000_000, clock), listed, {
    replica: 'r', clock, random: () => 1, gate,
    registry: { acquire: () => acquire() as never },
    duties: { run: (one) => { tenure = one; return run(one); }, provision },
    limits: {
      ttlMs: 9_000, stopTimeoutMs: 1_000, provisionTimeoutMs: 2_000, stableAfterMs: 5_000,
      startBackoff: { initialMs: 100, maxMs: 10_000 }, handOverAfterFailures: 3, ...limits,
    },
    emit: (event, payload) => { events.push([event, payload]); },
    othersLive: () => others, over: () => { over += 1; }, registryClosed: () => { closed += 1; },
  });
}
const seen = (one: Holding<Row, string>): unknown[] => [one.state, one.counts, one.renewable];

beforeEach(() => {
  clock = new ManualClock();
  [events, over, closed, others, version, run, gate, tenure] = [[], 0, 0, true, '1', serve, new StartGate(8), undefined];
  lease = { stale: false, released: 0 };
  acquire = async () => ({
    instance: 'instance', record: { id: 'a', version, status: 'active' }, signal: new AbortController().signal, retire() {},
    get stale() { return lease.stale; }, release() { lease.released += 1; }, [Symbol.dispose]() {},
  });
});

describe('what becomes of a claimed connection', () => {
  it('begins, serves, stops and is released with what it had to note', async () => {
    const one = holding();
    expect([seen(one), one.version, one.moveCost(0)]).toEqual([['queued', true, true], undefined, 0]);
    await clock.advance(0);
    expect([seen(one), one.version, one.release]).toEqual([['serving', true, true], '1', undefined]);
    expect(snapshotOf(one)).toEqual({ id: 'a', state: 'serving', token: '7', version: '1', failures: 0, heldForMs: 1_000_000 });
    one.giveUp('handedOver', { to: 's', forMs: 3 });
    expect(seen(one)).toEqual(['stopping', false, true]);
    expect(tenure?.signal.reason).toMatchObject({ name: 'AbortError', message: expect.stringContaining('(handedOver)') });
    await clock.advance(0);
    expect([seen(one), one.release, over, lease.released]).toEqual([['settled', false, false], { notes: undefined, offer: { to: 's', forMs: 3 } }, 1, 1]);
    expect(events).toEqual([['started', { id: 'a', token: 7n, version: '1' }], ['ended', { id: 'a', token: 7n, reason: 'handedOver' }]]);
    expect(clock.pendingTimers).toBe(0);
    expect(snapshotOf(one).heldForMs).toBe(0);
  });

  it.each([['lost', 'none'], ['expired', { notes: undefined, offer: undefined }]] as const)('%s: it ends at once, and what is released is %j', async (reason, release) => {
    const one = holding();
    await clock.advance(0);
    if (reason === 'lost') one.lose();
    else one.expire();
    expect(one.renewable).toBe(false);
    expect(tenure?.signal.reason).toMatchObject({ code: 'CLAIM_LOST' });
    await clock.advance(0);
    expect(one.release).toEqual(release);
    expect(happened('ended')).toMatchObject([{ reason }]);
  });

  it('what never began is given up without a word', () => {
    const one = holding();
    one.giveUp('stopped');
    expect([seen(one), events, over]).toEqual([['settled', false, false], [], 1]);
    one.giveUp('unlisted');
    expect(over).toBe(1);
  });

  it('what is queued and given up leaves the gate to others', async () => {
    gate = new StartGate(1);
    run = () => new Promise(() => {});
    acquire = () => new Promise(() => {});
    const [first, second, third] = [holding(), holding(), holding()];
    await clock.advance(0);
    expect([first.state, second.state, third.state]).toEqual(['working', 'queued', 'queued']);
    second.giveUp('stopped');
    gate.leave();
    await clock.advance(0);
    expect([second.state, third.state]).toEqual(['settled', 'working']);
  });

  it('one that stops for an edit counts still, and begins anew with the new version', async () => {
    const one = holding({ listed: '1' });
    const gone = deferred();
    run = async (now) => { await aborted(now.signal); await gone.promise; };
    await clock.advance(0);
    one.listed('2');
    version = '2';
    expect([seen(one), one.moveCost(0)]).toEqual([['stopping', true, true], undefined]);
    expect(tenure?.signal.reason).toMatchObject({ message: expect.stringContaining('(restart)') });
    expect(clock.pendingRefTimers).toBe(1);
    gone.resolve();
    run = serve;
    await clock.advance(0);
    expect([seen(one), one.version, over]).toEqual([['serving', true, true], '2', 0]);
    one.listed('2');
    one.listed(undefined);
    expect(one.state).toBe('serving');
  });

  it('an instance that died is found at the next look', async () => {
    const one = holding();
    await clock.advance(0);
    one.check();
    expect(one.state).toBe('serving');
    lease.stale = true;
    one.check();
    expect(one.state).toBe('stopping');
  });

  it('one that does not stop in time is stuck, counts no more, and is given up when it stops after all', async () => {
    for (const [ending, reason] of [['restart', 'failed'], ['release', 'unlisted']] as const) {
      events = [];
      over = 0;
      const gone = deferred();
      run = async () => gone.promise;
      const one = holding({ listed: '1' });
      await clock.advance(0);
      if (ending === 'restart') one.listed('2');
      else one.giveUp('unlisted');
      await clock.advance(999);
      expect([one.state, happened('stopUnproven')]).toEqual(['stopping', []]);
      await clock.advance(1);
      expect([seen(one), happened('stopUnproven'), over, one.release]).toEqual([['stuck', false, false], [{ id: 'a', token: 7n }], 1, undefined]);
      gone.resolve();
      await clock.advance(0);
      expect([seen(one), happened('ended'), over]).toEqual([['settled', false, false], [{ id: 'a', token: 7n, reason }], 2]);
    }
  });

  it('the graver end counts: a claim that was lost while its loop stopped is not released', async () => {
    const gone = deferred();
    run = async () => gone.promise;
    const one = holding();
    await clock.advance(0);
    one.lose();
    one.giveUp('stopped');
    gone.resolve();
    await clock.advance(0);
    expect([one.release, happened('ended')]).toEqual(['none', [{ id: 'a', token: 7n, reason: 'lost' }]]);
  });
});

describe('what it costs to move', () => {
  it('nothing before it began; not before the cool-down is over; then less while it waits than while it works', async () => {
    const serving = holding();
    run = async () => { throw new Error('no'); };
    const waiting = holding({ limits: { startBackoff: { initialMs: 60_000, maxMs: 60_000 } } });
    const inherited = holding({ notes: formatNotes({ failed: { version: '1', count: 5 }, provisioned: undefined }), listed: '1', limits: { startBackoff: { initialMs: 60_000, maxMs: 60_000 } } });
    expect(inherited.state).toBe('waiting');
    await clock.advance(0);
    run = serve;
    await clock.advance(499);
    expect([waiting.state, serving.moveCost(500), waiting.moveCost(500), inherited.moveCost(500)]).toEqual(['waiting', undefined, undefined, undefined]);
    await clock.advance(1);
    expect([serving.state, serving.moveCost(500), waiting.moveCost(500), inherited.moveCost(500)]).toEqual(['serving', 2, 1, 1]);
  });
});

describe('starts that fail', () => {
  it('are told of, noted and tried again; the third is handed over where somebody else could try', async () => {
    const failure = new Error('no');
    run = async () => { throw failure; };
    const one = holding({ listed: '1' });
    await clock.advance(0);
    expect([seen(one), one.failures, one.unsavedNotes]).toEqual([['waiting', true, true], 1, formatNotes({ provisioned: undefined, failed: { version: '1', count: 1 } })]);
    expect(clock.pendingRefTimers).toBe(1);
    one.notesSaved('another');
    expect(one.unsavedNotes).toBeDefined();
    one.notesSaved(one.unsavedNotes as string);
    expect(one.unsavedNotes).toBeUndefined();
    await clock.advance(100);
    await clock.advance(200);
    expect(happened('startFailed').map(({ failures, retryAfterMs, handedOver, error }) => [failures, retryAfterMs, handedOver, error])).toEqual([[1, 100, false, failure], [2, 200, false, failure], [3, 400, true, failure]]);
    expect([one.release, happened('ended').length]).toEqual([{ notes: formatNotes({ provisioned: undefined, failed: { version: '1', count: 3 } }), offer: { notTo: 'r', forMs: 9_000 } }, 1]);
  });

  it('stay where nobody else could try', async () => {
    others = false;
    run = async () => { throw new Error('no'); };
    const one = holding();
    await clock.advance(300);
    expect([one.failures, one.state]).toEqual([3, 'waiting']);
  });

  it('a run that ends by itself is one', async () => {
    run = async () => {};
    holding();
    await clock.advance(0);
    expect(happened('startFailed')[0].error.message).toBe('run has ended before its signal aborted');
  });

  it('one of another version ends the wait, the same version or none does not', async () => {
    run = async () => { throw new Error('no'); };
    const one = holding({ listed: '1' });
    await clock.advance(0);
    one.listed('1');
    one.listed(undefined);
    one.listed('1');
    expect(one.state).toBe('waiting');
    run = serve;
    version = '2';
    one.listed('2');
    expect([one.state, clock.pendingTimers]).toEqual(['queued', 0]);
    await clock.advance(0);
    expect(one.state).toBe('serving');
  });

  it('a registry that closes ends the runner, and is no failed start', async () => {
    acquire = async () => { throw new ConnectionError('REGISTRY_CLOSED', 'closing'); };
    const one = holding();
    await clock.advance(0);
    expect([closed, one.failures, events]).toEqual([1, 0, []]);
  });

  it('are forgotten once it has served for stableAfterMs, and that is noted', async () => {
    const one = holding({ notes: formatNotes({ provisioned: undefined, failed: { version: '0', count: 2 } }), listed: '1' });
    await clock.advance(4_999);
    one.check();
    expect([one.failures, one.unsavedNotes]).toEqual([2, undefined]);
    await clock.advance(1);
    one.check();
    expect([one.failures, one.unsavedNotes]).toEqual([0, formatNotes({ provisioned: undefined, failed: undefined })]);
  });

  it('given up while it waits, it leaves no timer', async () => {
    run = async () => { throw new Error('no'); };
    const one = holding();
    await clock.advance(0);
    one.giveUp('stopped');
    expect([one.state, clock.pendingTimers]).toEqual(['settled', 0]);
  });
});

describe('provision', () => {
  it('comes before run, once per version, and is noted', async () => {
    const given: unknown[] = [];
    const one = holding({ provision: async (record, { token, instance, signal, assertHeld }) => { assertHeld(); given.push([record.version, token, instance, signal.aborted]); } });
    await clock.advance(0);
    expect([given, happened('provisioned'), one.unsavedNotes]).toEqual([[['1', 7n, 'instance', false]], [{ id: 'a', token: 7n, version: '1' }], formatNotes({ provisioned: '1', failed: undefined })]);
    const again = holding({ notes: formatNotes({ provisioned: '1', failed: undefined }), provision: async () => { given.push('again'); } });
    await clock.advance(0);
    expect([again.state, given.length, clock.pendingTimers]).toEqual(['serving', 1, 0]);
  });

  it('that does not settle in time is a failed start, and keeps nobody else from starting', async () => {
    gate = new StartGate(1);
    const gone = deferred();
    const [slow, next] = [holding({ provision: () => gone.promise }), holding()];
    await clock.advance(0);
    expect([slow.state, next.state, clock.pendingTimers, clock.pendingRefTimers]).toEqual(['working', 'queued', 1, 1]);
    await clock.advance(2_000);
    expect([slow.state, next.state]).toEqual(['stopping', 'serving']);
    gone.resolve();
    await clock.advance(0);
    expect(happened('startFailed')[0].error.message).toBe('provision has not settled within 2000 ms');
    expect(happened('provisioned')).toEqual([]);
  });
});
