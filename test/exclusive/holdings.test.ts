import { beforeEach, describe, expect, test } from 'vitest';
import { Holdings } from '../../src/exclusive/holdings.js';
import type { Listing } from '../../src/exclusive/listing.js';
import type { Release, Releases } from '../../src/exclusive/releases.js';
import { readInstant } from '../../src/exclusive/validity.js';
import { deferred, type Deferred } from '../support/deferred.js';
import { TestEnvironment, type Row } from './support/environment.js';

let environment: TestEnvironment;
let holdings: Holdings<Row, string>;
let released: Release[];
let listed: Map<string, string>;
let gone: Deferred<void>;

beforeEach(() => {
  released = [];
  gone = deferred();
  listed = new Map([['a', '1'], ['b', '1'], ['c', '1']]);
  environment = new TestEnvironment({
    stopTimeoutMs: 1_000,
    registry: {
      acquire: async (id) => ({
        instance: id,
        record: { id, version: listed.get(id)!, status: 'active' as const },
        stale: false,
        signal: new AbortController().signal,
        retire() {},
        release() {},
        [Symbol.dispose]() {},
      }),
    },
    run: () => gone.promise,
  });
  const listing = { has: (id: string) => listed.has(id), version: (id: string) => listed.get(id) } as unknown as Listing<
    Row,
    string
  >;
  const releases = { add: (release: Release) => { released.push(release); } } as unknown as Releases<Row, string>;
  holdings = new Holdings(environment, listing, releases, () => {});
});

const take = (...ids: string[]): void => {
  holdings.take(ids.map((id, index) => ({ id, token: BigInt(index + 1), notes: undefined })), readInstant(environment.clock));
};

describe('the holdings of a runner', () => {
  test('keep claims on listed connections and release the others', () => {
    take('a', 'unlisted');
    take('a');
    environment.state = 'stopping';
    take('b');
    expect({ held: [...holdings].map(({ id }) => id), given: released.map(({ claim }) => claim.id) }).toEqual({
      held: ['a'],
      given: ['unlisted', 'a', 'b'],
    });
  });

  test('report their load, and are running while one of them may still stop', async () => {
    expect({ load: holdings.load, running: holdings.running }).toEqual({ load: 0, running: false });
    take('a', 'b');
    expect({ load: holdings.load, running: holdings.running }).toEqual({ load: 2, running: true });
    await environment.clock.advance(0);
    for (const holding of holdings) holding.giveUp('stopped');
    expect({ load: holdings.load, running: holdings.running }).toEqual({ load: 0, running: true });
    await environment.clock.advance(1_000);
    expect([...holdings].map(({ state }) => state)).toEqual(['stuck', 'stuck']);
    expect({ load: holdings.load, running: holdings.running }).toEqual({ load: 0, running: false });
  });

  test('still count a holding that restarts because of an edit', async () => {
    take('a');
    await environment.clock.advance(0);
    listed.set('a', '2');
    holdings.listingChanged();
    expect({ state: holdings.get('a')!.state, load: holdings.load }).toEqual({ state: 'stopping', load: 1 });
    await environment.clock.advance(1_000);
    expect({ state: holdings.get('a')!.state, load: holdings.load }).toEqual({ state: 'stuck', load: 0 });
  });

  test('are forgotten by identity: the late end of one does not touch its successor', async () => {
    take('a');
    holdings.get('a')!.giveUp('stopped');
    const [first] = released;
    first!.released!();
    take('a');
    const successor = holdings.get('a');
    first!.released!();
    expect(holdings.get('a')).toBe(successor);
  });

  test('give up unlisted connections, and pass new versions on', () => {
    take('a', 'b');
    listed.delete('b');
    holdings.listingChanged();
    expect({ states: [...holdings].map(({ id, state }) => `${id} ${state}`), released: released.map(({ claim }) => claim.id) })
      .toEqual({ states: ['a queued', 'b settled'], released: ['b'] });
  });

  test('expire each at its deadline, by one timer, which holds the process open', async () => {
    const { clock } = environment;
    holdings.watchDeadlines();
    expect(clock.pendingTimers).toBe(0);
    take('a');
    await clock.advance(100);
    take('b');
    expect({ pending: clock.pendingTimers, ref: clock.pendingRefTimers }).toEqual({ pending: 1, ref: 1 });
    await clock.advance(7_399);
    expect([...holdings].map(({ id, validity }) => `${id} ${validity.ended}`)).toEqual(['a false', 'b false']);
    await clock.advance(1);
    expect([...holdings].map(({ id, validity }) => `${id} ${validity.ended}`)).toEqual(['a true', 'b false']);
    holdings.stopWatching();
    await clock.advance(1_000);
    expect([...holdings].map(({ id, validity }) => `${id} ${validity.ended}`)).toEqual(['a true', 'b false']);
  });

  test('are watched by a timer of whole milliseconds, because a fraction would fire too early', async () => {
    await environment.clock.advance(0.1 + 0.2);
    const waits: number[] = [];
    environment.clock.setTimeout = (_callback, ms) => { waits.push(ms); return () => undefined; };
    take('a');
    expect(waits.every(Number.isInteger)).toBe(true);
    expect(waits).toContain(7_500);
  });
});
