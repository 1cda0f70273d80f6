import { beforeEach, describe, expect, test } from 'vitest';
import type { ClaimStore, RenewRequest } from 'hydrant/exclusive';
import { handOverSurplus } from '../../src/exclusive/balance.js';
import { Heartbeat } from '../../src/exclusive/heartbeat.js';
import type { Holdings } from '../../src/exclusive/holdings.js';
import { Homes } from '../../src/exclusive/homes.js';
import type { Releases } from '../../src/exclusive/releases.js';
import type { Takeovers } from '../../src/exclusive/takeovers.js';
import { deferred, type Deferred } from '../support/deferred.js';
import { TestEnvironment, type Row } from './support/environment.js';

let environment: TestEnvironment;
let clock: TestEnvironment['clock'];
let gates: Deferred<any>[];
let requests: RenewRequest[];
let log: string[];
let takeovers: { inFlight: boolean; count: number; known: boolean };
let releases: { announced: boolean; add(release: { claim: { id: string } }): void };

const holding = (id: string, notes?: string) => ({
  id,
  renewableAt: () => true,
  check: () => {},
  validity: {
    token: 1n,
    prove: () => {
      log.push(`${id} proven`);
    },
  },
  notes: {
    unsaved: notes,
    saved: (saved: string) => {
      log.push(`${id} noted ${saved}`);
    },
  },
  lose: () => {
    log.push(`${id} lost`);
  },
});

function heart(...held: ReturnType<typeof holding>[]): Heartbeat<Row, string> {
  const holdings = {
    [Symbol.iterator]: () => held.values(),
    watchDeadlines: () => {},
    has: (id: string) => held.some((one) => one.id === id),
    load: held.length,
  };
  const beating = new Heartbeat<Row, string>(
    environment,
    holdings as unknown as Holdings<Row, string>,
    takeovers as Takeovers<Row, string>,
    releases as unknown as Releases<Row, string>,
    (joined) => {
      log.push(`${joined ? 'joined' : 'answered by'} ${environment.roster.size}`);
    },
  );
  beating.start(100);
  return beating;
}
const result = (more: object = {}): object => ({ renewed: [], lost: [], strays: [], members: [], ...more });

beforeEach(() => {
  [gates, requests, log, takeovers] = [[], [], [], { inFlight: false, count: 0, known: true }];
  releases = { announced: false, add: ({ claim: { id } }) => { log.push(`${id} strayed`); } };
  const renew = (request: RenewRequest): Promise<any> => {
    const gate = deferred<any>();
    gates.push(gate);
    requests.push(request);
    return gate.promise;
  };
  environment = new TestEnvironment({ claims: { renew, claim() {}, release() {} } as unknown as ClaimStore });
  clock = environment.clock;
});

describe('the heartbeat', () => {
  test('renews at once, after its first interval, then every tick, one at a time, and keeps the process alive', async () => {
    const beating = heart();
    expect({ gates: gates.length, pendingRefTimers: clock.pendingRefTimers }).toEqual({ gates: 1, pendingRefTimers: 2 });
    await clock.advance(100);
    expect(gates).toHaveLength(1);
    gates[0]?.resolve(result());
    await clock.advance(999);
    expect(gates).toHaveLength(1);
    await clock.advance(1);
    expect(gates).toHaveLength(2);
    const stopped = beating.stop();
    gates[1]?.resolve(result({ members: [{ replica: 'r', load: 1 }] }));
    await stopped;
    await clock.advance(10_000);
    expect({ gates: gates.length, pendingTimers: clock.pendingTimers, log }).toEqual({
      gates: 2,
      pendingTimers: 0,
      log: ['answered by 0'],
    });
  });

  test('tells the releases whether the store may still count this replica', async () => {
    environment.state = 'stopping';
    heart();
    expect({ announced: releases.announced, member: requests[0]!.member }).toEqual({ announced: false, member: false });
    environment.state = 'running';
    heart();
    expect({ announced: releases.announced, member: requests[1]!.member }).toEqual({ announced: true, member: true });
    gates[1]?.resolve(result());
    await clock.advance(0);
    expect(releases.announced).toBe(false);
  });

  test('announces a load of -1 at its first beat, has joined after two, and knows the members then', async () => {
    heart(holding('a'));
    expect(requests[0]!.load).toBe(-1);
    gates[0]?.resolve(result({ members: [{ replica: 'r', load: -1 }, { replica: 's', load: -1 }] }));
    await clock.advance(100);
    expect({ load: requests[1]!.load, log }).toEqual({ load: 1, log: ['answered by 2'] });
    gates[1]?.resolve(result({ members: [{ replica: 'r', load: 1 }, { replica: 's', load: -1 }] }));
    await clock.advance(0);
    expect(log).toEqual(['answered by 2', 'joined 2']);
  });

  test('does not count replicas at their first beat once this one has joined, even if it owns nothing yet', async () => {
    heart();
    const members = [{ replica: 'r', load: 0 }, { replica: 's', load: -1 }];
    for (const [beat, waitMs] of [100, 1_000, 0].entries()) {
      gates[beat]!.resolve(result({ members }));
      await clock.advance(waitMs);
    }
    expect(log).toEqual(['answered by 2', 'joined 2', 'joined 1']);
  });

  test('passes on renewed, noted and lost claims, and ignores claims it did not ask for', async () => {
    heart(holding('a'), holding('b', 'its notes'), holding('c'));
    gates[0]?.resolve(result({ renewed: ['a', 'b', 'unheard of'], lost: ['c', 'never held'] }));
    await clock.advance(0);
    expect(log).toEqual(['a proven', 'b proven', 'b noted its notes', 'c lost', 'answered by 0']);
  });

  test.each([
    { inFlight: false, later: 0, strayed: true },
    { inFlight: true, later: 0, strayed: false },
    { inFlight: false, later: 1, strayed: false },
    { inFlight: true, later: 1, strayed: false },
  ])(
    'releases claims that no holding here knows, unless they may just have been taken: %o',
    async ({ inFlight, later, strayed }) => {
      takeovers.inFlight = inFlight;
      heart(holding('a'));
      takeovers.count += later;
      gates[0]?.resolve(
        result({
          strays: [
            { id: 'a', token: 1n },
            { id: 'b', token: 2n },
          ],
        }),
      );
      await clock.advance(0);
      expect(log.filter((line) => line.endsWith('strayed'))).toEqual(strayed ? ['b strayed'] : []);
    },
  );

  test('reports a renewal that fails', async () => {
    heart();
    gates[0]?.reject(new Error('down'));
    await clock.advance(0);
    expect(environment.happened('claimsFailed')).toEqual([{ call: 'renew', error: new Error('down') }]);
    expect(log).toEqual([]);
  });
});

describe('balance', () => {
  test('hands over the cheapest connections, for three ticks, to a replica that was there a beat ago', () => {
    const given: unknown[] = [];
    const costs = { dear: 2, cheap: 0, fixed: undefined, fair: 1 };
    const held = Object.entries(costs).map(([id, cost]) => ({
      id,
      moveCost: () => cost,
      giveUp: (reason: string, offer: () => object) => {
        given.push({ id, reason, offer: offer() });
      },
    }));
    const holdings = { load: 4, [Symbol.iterator]: () => held.values() } as unknown as Holdings<Row, string>;
    const members = [{ replica: 'r', load: 4 }, { replica: 's', load: 0 }];
    const homes = new Homes<Row, string>({ ids: Object.keys(costs).toSorted() }, environment.roster);
    environment.roster.update(members, true, 0);
    handOverSurplus(environment, holdings, homes);
    expect(given, 's was not there before').toEqual([]);
    environment.roster.update(members, true, 0);
    handOverSurplus(environment, holdings, homes);
    expect(given).toEqual(['cheap', 'fair'].map((id) => ({ id, reason: 'handedOver', offer: { to: 's', forMs: 3_000 } })));
  });
});
