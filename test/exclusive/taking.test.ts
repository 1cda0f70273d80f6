import type { ClaimStore } from 'hydrant/exclusive';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Holdings } from '../../src/exclusive/holdings.js';
import { Homes } from '../../src/exclusive/homes.js';
import type { Listing } from '../../src/exclusive/listing.js';
import { Takeovers } from '../../src/exclusive/takeovers.js';
import { deferred } from '../support/deferred.js';
import { TestEnvironment, type Row } from './support/environment.js';

describe('takeovers', () => {
  let environment: TestEnvironment;
  let clock: TestEnvironment['clock'];
  let asked: { ids: readonly string[]; limit: number; freeForMs: number }[];
  let load: number;
  let shareOf: number;
  let rank: number;
  let occupied: boolean;
  let taken: unknown[];
  let homes: Homes<Row, string>;
  let claim: (request: { ids: readonly string[]; limit: number; freeForMs: number }) => Promise<any>;
  const ids = ['a', 'b', 'c', 'd'];
  const open = (listed: readonly string[] = ids): Takeovers<Row, string> => {
    environment = new TestEnvironment({
      claims: { renew() {}, claim: (request: any) => claim(request), release() {} } as unknown as ClaimStore,
    });
    clock = environment.clock;
    Object.defineProperties(environment.roster, {
      rank: { get: () => rank },
      size: { value: 2 },
      names: { value: ['r', 's'] },
      share: { value: () => shareOf },
    });
    const takeovers = new Takeovers(
      environment,
      { ids: listed } as unknown as Listing<Row, string>,
      {
        get load() {
          return load;
        },
        has: () => occupied,
        take: (claims: unknown) => taken.push(claims),
      } as unknown as Holdings<Row, string>,
      homes = new Homes({ ids: listed }, environment.roster),
    );
    takeovers.enable();
    return takeovers;
  };
  beforeEach(() => {
    [asked, taken, load, shareOf, rank, occupied] = [[], [], 0, 2, 0, false];
    claim = async ({ ids: wanted, limit, freeForMs }) => { asked.push({ ids: wanted, limit, freeForMs }); return []; };
  });

  test('claim the missing connections, each replica from another place', async () => {
    const takeovers = open();
    takeovers.soon();
    await clock.advance(0);
    rank = 1;
    takeovers.soon();
    await clock.advance(0);
    expect(asked).toEqual([{ ids, limit: 2, freeForMs: 0 }, { ids: ['c', 'd', 'a', 'b'], limit: 2, freeForMs: 0 }]);
    expect(takeovers.count).toBe(2);
  });

  test('claim nothing with a full share, except orphans every three ticks', async () => {
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

  test('take what is offered to them for three ticks after they were short, though their share is full', async () => {
    const takeovers = open();
    await clock.advance(100);
    takeovers.tick();
    await clock.advance(0);
    load = 2;
    asked = [];
    const looked = async (): Promise<boolean> => {
      const before = asked.length;
      await clock.advance(0);
      return asked.length > before;
    };
    takeovers.soon();
    expect(await looked(), 'without a release').toBe(false);
    for (const tick of [0, 1, 2]) {
      if (tick > 0) takeovers.tick();
      takeovers.released();
      expect(await looked(), `at a release after tick ${tick}`).toBe(true);
      expect(asked.at(-1)).toEqual({ ids, limit: 1_000, freeForMs: 3_000 });
    }
    takeovers.tick();
    takeovers.released();
    expect(await looked(), 'not later').toBe(false);
  });

  test('send no other query when one has filled the share, although a search for orphans is due', async () => {
    const takeovers = open();
    await clock.advance(10_000);
    const given = claim;
    claim = async (request) => { load = 2; return given(request); };
    takeovers.soon();
    await clock.advance(0);
    expect(asked).toMatchObject([{ limit: 2, freeForMs: 0 }]);
    takeovers.tick();
    await clock.advance(0);
    expect(asked.slice(1), 'but at the next tick').toMatchObject([{ limit: 1_000, freeForMs: 3_000 }]);
  });

  test('take offers beyond what they lacked, without another release', async () => {
    const takeovers = open();
    takeovers.tick();
    await clock.advance(0);
    const given = claim;
    claim = async (request) => { load = 2; return given(request); };
    asked = [];
    takeovers.released();
    await clock.advance(0);
    expect(asked).toMatchObject([{ limit: 2, freeForMs: 0 }, { limit: 1_000, freeForMs: 3_000 }]);
  });

  test('go on in a large fleet for as long as they find something, however many came before', async () => {
    const takeovers = open(Array.from({ length: 20_000 }, (_, index) => `c${index}`));
    takeovers.tick();
    await clock.advance(5_000);
    expect(asked).toHaveLength(9);
    let found = 3;
    claim = async (request) => { asked.push(request); found -= 1; return found >= 0 ? ['some'] : []; };
    asked = [];
    takeovers.soon();
    await clock.advance(5_000);
    expect(asked, 'three that find something, and one that does not').toHaveLength(4);
    const { circle } = homes;
    const atHome = new Set(Array.from({ length: circle.homeSize(0) }, (_, steps) => circle.at(0, steps)));
    for (const query of asked) expect(query.ids.filter((id) => !atHome.has(id)), 'also beside the home').toHaveLength(2_048);
  });

  test('see the whole home in each of three ticks after a large fleet has changed, and then a part of it', async () => {
    load = 2;
    const takeovers = open(Array.from({ length: 20_000 }, (_, index) => `c${index}`));
    const looks: number[] = [];
    const named = new Set<string>();
    for (let tick = 0; tick < 5; tick += 1) {
      asked = [];
      await clock.advance(1_000);
      takeovers.tick();
      await clock.advance(0);
      looks.push(asked.length);
      for (const request of asked) expect(request).toMatchObject({ limit: 1_000, freeForMs: 1_000 });
      if (tick === 0) for (const id of asked.flatMap((request) => request.ids)) named.add(id);
    }
    expect(looks).toEqual([3, 3, 3, 1, 1]);
    expect(named.size, 'half of the circle').toBe(10_000);
  });

  test('claim nothing before the listing and the members are known, when all is taken, or once disabled', async () => {
    for (const state of [
      { listed: [], occupied: false, rank: 0 },
      { listed: ids, occupied: true, rank: 0 },
      { listed: ids, occupied: false, rank: -1 },
    ]) {
      ({ occupied, rank } = state);
      const takeovers = open(state.listed);
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

  test('come in bursts of eight, then one every 200 ms, and keep the process alive', async () => {
    const takeovers = open();
    for (let query = 0; query < 12; query += 1) { takeovers.soon(); await clock.advance(0); }
    expect({ asked: asked.length, pendingTimers: clock.pendingTimers, pendingRefTimers: clock.pendingRefTimers }).toEqual({
      asked: 8,
      pendingTimers: 1,
      pendingRefTimers: 1,
    });
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

  test('that are requested while one is under way follow it, and one that fails is reported', async () => {
    const gates: ReturnType<typeof deferred>[] = [];
    claim = () => { const gate = deferred<any>(); gates.push(gate); return gate.promise; };
    const takeovers = open();
    takeovers.soon();
    takeovers.soon();
    takeovers.soon();
    await clock.advance(0);
    expect({ gates: gates.length, inFlight: takeovers.inFlight }).toEqual({ gates: 1, inFlight: true });
    gates[0]?.reject(new Error('down'));
    await clock.advance(0);
    expect({ gates: gates.length, claimsFailed: environment.happened('claimsFailed').length, taken }).toEqual({
      gates: 2,
      claimsFailed: 1,
      taken: [[]],
    });
    gates[1]?.resolve([] as never);
    await clock.advance(0);
    expect({ gates: gates.length, inFlight: takeovers.inFlight }).toEqual({ gates: 2, inFlight: false });
  });
});
