import type { ClaimStore } from 'hydrant/exclusive';
import { ManualClock } from 'hydrant/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { Listing } from '../../src/exclusive/listing.js';
import { Takeovers, type TakeoversHost } from '../../src/exclusive/takeovers.js';
import { deferred } from '../support/deferred.js';

describe('takeovers', () => {
  let clock: ManualClock;
  let asked: { ids: readonly string[]; limit: number; freeForMs: number }[];
  let load: number;
  let shareOf: number;
  let rank: number;
  const ids = ['a', 'b', 'c', 'd'];
  const open = (more: Partial<TakeoversHost> = {}): Takeovers => {
    const takeovers = new Takeovers({
      replica: 'r', clock, ttlMs: 9_000, tickMs: 1_000, timeoutMs: 500, load: () => load, occupied: (id) => id === 'mine', taken: () => {}, failed: () => {},
      listing: { known: true, ids } as unknown as Listing,
      roster: { get rank() { return rank; }, size: 2, share: () => shareOf } as never,
      claims: { claim: async ({ ids: wanted, limit, freeForMs }: { ids: readonly string[]; limit: number; freeForMs: number }) => { asked.push({ ids: wanted, limit, freeForMs }); return []; } } as unknown as ClaimStore,
      ...more,
    });
    takeovers.enable();
    return takeovers;
  };
  beforeEach(() => { clock = new ManualClock(); [asked, load, shareOf, rank] = [[], 0, 2, 0]; });

  test('ask for what is missing, each replica from elsewhere', async () => {
    const takeovers = open();
    takeovers.soon();
    await clock.advance(0);
    rank = 1;
    takeovers.soon();
    await clock.advance(0);
    expect(asked).toEqual([{ ids, limit: 2, freeForMs: 0 }, { ids: ['c', 'd', 'a', 'b'], limit: 2, freeForMs: 0 }]);
    expect(takeovers.count).toBe(2);
  });

  test('ask for nothing with a full share, but every three ticks for what nobody takes', async () => {
    load = 2;
    const takeovers = open();
    takeovers.soon();
    await clock.advance(2_999);
    takeovers.soon();
    await clock.advance(0);
    expect(asked).toEqual([]);
    await clock.advance(1);
    takeovers.soon();
    await clock.advance(0);
    takeovers.soon();
    await clock.advance(0);
    expect(asked).toEqual([{ ids, limit: 1_000, freeForMs: 3_000 }]);
  });

  test('ask for nothing before the listing and the members are known, when all is taken, or once they are disabled', async () => {
    for (const more of [{ listing: { known: false, ids } as never }, { occupied: () => true }, {}]) {
      rank = 'listing' in more || 'occupied' in more ? 0 : -1;
      const takeovers = open(more);
      takeovers.soon();
      await clock.advance(0);
    }
    rank = 0;
    const takeovers = open();
    takeovers.disable();
    takeovers.soon();
    await clock.advance(1_000);
    expect(asked).toEqual([]);
  });

  test('come in bursts of eight, then one every 200 ms, which hold the process open', async () => {
    const takeovers = open();
    for (let query = 0; query < 12; query += 1) { takeovers.soon(); await clock.advance(0); }
    expect([asked.length, clock.pendingTimers, clock.pendingRefTimers]).toEqual([8, 1, 1]);
    await clock.advance(199);
    expect(asked).toHaveLength(8);
    await clock.advance(1);
    expect(asked).toHaveLength(9);
    takeovers.soon();
    takeovers.disable();
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(60_000);
    takeovers.enable();
    for (let query = 0; query < 12; query += 1) { takeovers.soon(); await clock.advance(0); }
    expect(asked).toHaveLength(17);
  });

  test('that are asked for while one is under way follow it, and one that fails is told of', async () => {
    const failures: unknown[] = [];
    const taken: unknown[] = [];
    const gates: ReturnType<typeof deferred>[] = [];
    const takeovers = open({ failed: (error) => failures.push(error), taken: (claims) => taken.push(claims), claims: { claim: () => { const gate = deferred<any>(); gates.push(gate); return gate.promise; } } as unknown as ClaimStore });
    takeovers.soon();
    takeovers.soon();
    takeovers.soon();
    await clock.advance(0);
    expect([gates.length, takeovers.inFlight]).toEqual([1, true]);
    gates[0]?.reject(new Error('down'));
    await clock.advance(0);
    expect([gates.length, failures.length, taken]).toEqual([2, 1, [[]]]);
    gates[1]?.resolve([] as never);
    await clock.advance(0);
    expect([gates.length, takeovers.inFlight]).toEqual([2, false]);
  });
});
