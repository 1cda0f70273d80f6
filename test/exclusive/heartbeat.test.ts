import type { ClaimStore } from 'hydrant/exclusive';
import { ManualClock } from 'hydrant/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { Balance } from '../../src/exclusive/balance.js';
import { Heartbeat } from '../../src/exclusive/heartbeat.js';
import type { Holdings } from '../../src/exclusive/holdings.js';
import type { Takeovers } from '../../src/exclusive/takeovers.js';
import { deferred, type Deferred } from '../support/deferred.js';

type Row = { id: string; version: string; status: 'active' };

let clock: ManualClock;
let gates: Deferred<any>[];
let log: string[];
let takeovers: { inFlight: boolean; count: number };
let member: boolean;

const holding = (id: string, notes?: string) => ({
  id, renewable: true, unsavedNotes: notes, check: () => {}, hold: { token: 1n, prove: () => { log.push(`${id} proven`); } },
  notesSaved: (saved: string) => { log.push(`${id} noted ${saved}`); }, lose: () => { log.push(`${id} lost`); },
});

function heart(...held: ReturnType<typeof holding>[]): Heartbeat<Row, string> {
  const beating = new Heartbeat<Row, string>({
    replica: 'r', clock, ttlMs: 9_000, tickMs: 1_000, timeoutMs: 500, takeovers: takeovers as Takeovers,
    holdings: { [Symbol.iterator]: () => held.values(), watchDeadlines: () => {}, has: (id: string) => held.some((one) => one.id === id) } as unknown as Holdings<Row, string>,
    claims: { renew: () => { const gate = deferred<any>(); gates.push(gate); return gate.promise; } } as unknown as ClaimStore,
    member: () => member, load: () => held.length,
    answered: (members) => { log.push(`answered by ${members.length}`); }, stray: ({ id }) => { log.push(`${id} strayed`); }, failed: () => { log.push('failed'); },
  });
  beating.start(100);
  return beating;
}
const result = (more: object = {}): object => ({ renewed: [], lost: [], strays: [], members: [], ...more });

beforeEach(() => {
  clock = new ManualClock();
  [gates, log, takeovers, member] = [[], [], { inFlight: false, count: 0 }, true];
});

describe('the heartbeat', () => {
  test('renews at once, then after its first interval, then every tick, one renewal at a time, and holds the process open', async () => {
    const beating = heart();
    expect([gates.length, clock.pendingRefTimers]).toEqual([1, 2]);
    await clock.advance(100);
    expect(gates).toHaveLength(1);
    gates[0]?.resolve(result());
    await clock.advance(999);
    expect(gates).toHaveLength(1);
    await clock.advance(1);
    expect(gates).toHaveLength(2);
    const stopped = beating.stop();
    gates[1]?.resolve(result({ members: [1] }));
    await stopped;
    await clock.advance(10_000);
    expect([gates.length, clock.pendingTimers, log]).toEqual([2, 0, ['answered by 0']]);
  });

  test('knows whether the store may count this replica in: from when it says so until that was answered', async () => {
    member = false;
    const silent = heart();
    expect(silent.announced).toBe(false);
    member = true;
    const beating = heart();
    expect(beating.announced).toBe(true);
    gates[1]?.resolve(result());
    await clock.advance(0);
    expect(beating.announced).toBe(false);
  });

  test('hands on what was renewed, noted and lost, and minds nothing it had not asked for', async () => {
    heart(holding('a'), holding('b', 'its notes'), holding('c'));
    gates[0]?.resolve(result({ renewed: ['a', 'b', 'unheard of'], lost: ['c', 'never held'] }));
    await clock.advance(0);
    expect(log).toEqual(['a proven', 'b proven', 'b noted its notes', 'c lost', 'answered by 0']);
  });

  test.each([
    { inFlight: false, later: 0, strayed: true }, { inFlight: true, later: 0, strayed: false }, { inFlight: false, later: 1, strayed: false }, { inFlight: true, later: 1, strayed: false },
  ])('takes what nobody here holds for forgotten, unless it may just have been taken: %o', async ({ inFlight, later, strayed }) => {
    takeovers.inFlight = inFlight;
    heart(holding('a'));
    takeovers.count += later;
    gates[0]?.resolve(result({ strays: [{ id: 'a', token: 1n }, { id: 'b', token: 2n }] }));
    await clock.advance(0);
    expect(log.filter((line) => line.endsWith('strayed'))).toEqual(strayed ? ['b strayed'] : []);
  });

  test('tells of a failure, but not after the end', async () => {
    const beating = heart();
    gates[0]?.reject(new Error('down'));
    await clock.advance(100);
    const stopped = beating.stop();
    gates[1]?.reject(new Error('down'));
    await stopped;
    expect(log).toEqual(['failed']);
  });
});

describe('balance', () => {
  test('hands over what is cheapest to move, for three ticks, to who was there a beat ago', () => {
    const given: unknown[] = [];
    const costs = { dear: 2, cheap: 0, fixed: undefined, fair: 1 };
    const held = Object.entries(costs).map(([id, cost]) => ({ id, moveCost: () => cost, giveUp: (reason: string, offer: object) => { given.push([id, reason, offer]); } }));
    for (const established of [false, true]) {
      new Balance<Row, string>({
        replica: 'r', tickMs: 1_000, coolDownMs: 0,
        holdings: { load: 4, [Symbol.iterator]: () => held.values() } as unknown as Holdings<Row, string>,
        roster: { members: () => [{ replica: 'r', load: 4 }, { replica: 's', load: 0 }], established: () => established } as never,
      }).restore(4);
    }
    expect(given).toEqual(['cheap', 'fair'].map((id) => [id, 'handedOver', { to: 's', forMs: 3_000 }]));
  });
});
