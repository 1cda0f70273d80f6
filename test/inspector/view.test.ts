import { beforeEach, describe, expect, test } from 'vitest';
import { ConnectionError, type ConnectionSnapshot } from 'hydrant';
import type { Inspector, View } from 'hydrant/inspector';
import type { ManualClock } from 'hydrant/testing';
import { inspectorOfAFake, type FakeRegistry } from './support/fake-registry.js';

describe('what the inspector shows', () => {
  let clock: ManualClock;
  let registry: FakeRegistry;
  let inspector: Inspector;
  beforeEach(() => { ({ clock, registry, inspector } = inspectorOfAFake()); });
  const view = async (query = ''): Promise<View> =>
    (await inspector(new Request(`http://x/?view=data&${query}`))).json() as Promise<View>;
  const ids = async (query = ''): Promise<string[]> => (await view(query)).rows.map(({ id }) => id);
  const connection = (id: string, rest: Partial<ConnectionSnapshot> = {}): ConnectionSnapshot => ({
    id,
    state: 'idle',
    version: '1',
    leases: 0,
    ...rest,
  });
  const fails = (id: string, failures = 1, version = '1'): void =>
    registry.tell('hydrationFailed', {
      id,
      version,
      error: new ConnectionError('HYDRATION_FAILED', 'no'),
      failures,
      retryAfterMs: 500,
    });
  const hydrates = (id: string, durationMs: number): void =>
    registry.tell('hydrated', { id, version: '1', durationMs, afterFailures: 0 });

  describe('sorted', () => {
    const connections = [
      connection('c', { leases: 1, ageMs: 0, leasedForMs: 0 }),
      connection('a', { state: 'hydrating' }),
      connection('d', { leases: 3, ageMs: 7, leasedForMs: 2 }),
      connection('b', { leases: 4, ageMs: 9, leasedForMs: 1 }),
      connection('e', { leases: 2, ageMs: 8, leasedForMs: 5 }),
    ];
    beforeEach(() => {
      registry.connections = connections;
      Object.entries({ a: 3, b: 7, c: 1, d: 2 }).forEach(([id, failures]) => fails(id, failures));
    });

    test.each([
      { sort: 'id', sorted: ['a', 'b', 'c', 'd', 'e'] },
      { sort: 'age', sorted: ['b', 'e', 'd', 'c', 'a'] },
      { sort: 'leases', sorted: ['b', 'd', 'e', 'c', 'a'] },
      { sort: 'leased', sorted: ['e', 'd', 'b', 'c', 'a'] },
      { sort: 'failures', sorted: ['b', 'a', 'd', 'c', 'e'] },
    ])('by $sort, with rows without it last', async ({ sort, sorted }) => {
      expect(await ids(`sort=${sort}`)).toEqual(sorted);
      registry.connections = connections.toReversed();
      expect(await ids(`sort=${sort}`)).toEqual(sorted);
    });

    test.each(['', 'toString', 'nonsense'])('by id for an order of %o', async (sort) => {
      expect(await ids(`sort=${sort}`)).toEqual(['a', 'b', 'c', 'd', 'e']);
    });
  });

  test('an instance and its predecessor stay in their order', async () => {
    registry.connections = [
      connection('b'),
      connection('a', { version: '2' }),
      connection('a', { version: '1', state: 'draining' }),
    ];
    expect((await view()).rows).toMatchObject([
      { id: 'a', version: '2' },
      { id: 'a', version: '1' },
      { id: 'b', version: '1' },
    ]);
  });

  test('everything without a search', async () => {
    registry.connections = [connection('Acme'), connection('beta', { state: 'leased' })];
    expect(await ids()).toEqual(['Acme', 'beta']);
    expect(await ids('search=AC')).toEqual(['Acme']);
    expect(await ids('search=xoxb')).toEqual([]);
    expect(await ids('state=leased')).toEqual(['beta']);
  });

  test.each(['-1', '-250', 'NaN', 'first', '', '1e999x'])('an offset of %o is ignored', async (offset) => {
    registry.connections = Array.from({ length: 150 }, (_, index) => connection(String(index).padStart(3, '0')));
    const { offset: from, rows } = await view(`offset=${offset}`);
    expect({ from, rows: rows.length, firstId: rows[0]?.id }).toEqual({ from: 0, rows: 100, firstId: '000' });
  });

  test('a failure beside a live instance, in one row', async () => {
    registry.connections = [connection('a', { leases: 1, state: 'leased' }), connection('b')];
    fails('a', 3, '2');
    fails('c');
    await clock.advance(200);
    expect((await view()).rows).toEqual([
      { id: 'a', state: 'leased', version: '1', leases: 1, failure: { code: 'HYDRATION_FAILED', failures: 3, retryInMs: 300 } },
      { id: 'b', state: 'idle', version: '1', leases: 0 },
      { id: 'c', state: 'failed', version: '1', leases: 0, failure: { code: 'HYDRATION_FAILED', failures: 1, retryInMs: 300 } },
    ]);
    await clock.advance(1_000);
    expect((await view('search=a')).rows[0]?.failure?.retryInMs).toBe(0);
  });

  test('the last 10 000 failures, and none that has ended', async () => {
    for (let index = 0; index <= 10_000; index += 1) fails(`bot-${index}`);
    expect(await view('search=bot-0')).toMatchObject({ failed: 10_000, matching: 0 });
    hydrates('bot-1', 5);
    expect(await view('search=bot-2')).toMatchObject({ failed: 9_999, matching: 1_111 });
  });

  describe('of how long hydrates took', () => {
    test('the median and the 95th percentile, in any order of the durations', async () => {
      for (let durationMs = 100; durationMs >= 1; durationMs -= 1) hydrates('a', durationMs);
      expect((await view()).latency.columns.at(-1)).toEqual({ count: 100, failures: 0, p50Ms: 51, p95Ms: 96 });
    });

    test('the first 500 of ten seconds, however many there are', async () => {
      for (let hydrate = 0; hydrate < 500; hydrate += 1) hydrates('a', 1);
      for (let hydrate = 0; hydrate < 600; hydrate += 1) hydrates('a', 9);
      expect((await view()).latency.columns.at(-1)).toEqual({ count: 1_100, failures: 0, p50Ms: 1, p95Ms: 1 });
    });

    test('nothing if none succeeded', async () => {
      fails('a');
      expect((await view()).latency.columns.at(-1)).toEqual({ count: 0, failures: 1 });
    });

    test('ten minutes', async () => {
      for (let column = 0; column < 60; column += 1) {
        if (column > 0) await clock.advance(10_000);
        hydrates('a', column);
      }
      const { columnMs, columns } = (await view()).latency;
      expect({ columnMs, p50Ms: columns.map(({ p50Ms }) => p50Ms) }).toEqual({
        columnMs: 10_000,
        p50Ms: Array.from({ length: 60 }, (_, column) => column),
      });
    });
  });

  test('nothing more once it is stopped, and it has no listeners', () => {
    expect(registry.listeners).toBeGreaterThan(0);
    inspector.stop();
    expect(registry.listeners).toBe(0);
  });
});
