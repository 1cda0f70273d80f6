import { beforeEach, describe, expect, test } from 'vitest';
import type { ExclusiveRunnerOptions } from 'hydrant/exclusive';
import { Listing } from '../../src/exclusive/listing.js';
import { deferred } from '../support/deferred.js';
import { GivenHints } from '../support/given-hints.js';
import { TestEnvironment, type Row } from './support/environment.js';

describe('the listing', () => {
  let environment: TestEnvironment;
  let clock: TestEnvironment['clock'];
  let lists: number;
  let answer: () => unknown;
  let changes: boolean[];
  const failures = (): unknown[] => environment.happened('listFailed').map(({ error }) => error);
  const open = (more: Partial<ExclusiveRunnerOptions<Row, string>> = {}): Listing<Row, string> => {
    environment = new TestEnvironment({ listIntervalMs: 1_000, list: () => { lists += 1; return answer() as never; }, ...more });
    clock = environment.clock;
    const listing = new Listing(environment, (grown) => { changes.push(grown); });
    listing.start();
    return listing;
  };
  beforeEach(() => { [lists, answer, changes] = [0, () => ['b', 'a'], []]; });

  test('is sorted and read again, and reports whether it has grown', async () => {
    const listing = open();
    expect({ known: listing.known, hasA: listing.has('a') }).toEqual({ known: false, hasA: false });
    await clock.advance(0);
    expect({
      known: listing.known,
      ids: listing.ids,
      hasA: listing.has('a'),
      versionOfA: listing.version('a'),
      changes,
    }).toEqual({
      known: true,
      ids: ['a', 'b'],
      hasA: true,
      versionOfA: undefined,
      changes: [true],
    });
    answer = () => ['a', { id: 'b', version: 7 }, { id: 'gone', status: 'stopped' }];
    await clock.advance(999);
    expect(lists).toBe(1);
    await clock.advance(1);
    expect({ lists, ids: listing.ids, versionOfB: listing.version('b'), changes }).toEqual({
      lists: 2,
      ids: ['a', 'b'],
      versionOfB: '7',
      changes: [true, false],
    });
    answer = () => ['a', 'c'];
    await clock.advance(1_000);
    expect(changes).toEqual([true, false, true]);
    expect(clock.pendingRefTimers).toBe(1);
    await listing.stop();
    await clock.advance(10_000);
    expect({ lists, pendingTimers: clock.pendingTimers }).toEqual({ lists: 3, pendingTimers: 0 });
  });

  test('that is the same as the last one reports no change', async () => {
    answer = () => ['a', { id: 'b', version: 7 }];
    const listing = open();
    await clock.advance(2_000);
    expect({ lists, changes }).toEqual({ lists: 3, changes: [true] });
    await listing.stop();
  });

  test('that is empty is known, and reports no change', async () => {
    answer = () => [];
    const listing = open();
    await clock.advance(0);
    expect({ known: listing.known, ids: listing.ids, changes }).toEqual({ known: true, ids: [], changes: [] });
    await listing.stop();
  });

  test('comes at its interval although watch fails, which is reported', async () => {
    const error = new Error('LISTEN is not allowed');
    const listing = open({ watch: () => Promise.reject(error) });
    await clock.advance(500);
    expect(failures()).toEqual([error]);
    await clock.advance(500);
    expect({ lists, ids: listing.ids }).toEqual({ lists: 2, ids: ['a', 'b'] });
    await listing.stop();
  });

  test('leaves out invalid ids, and reports how many', async () => {
    answer = () => ['', 'x'.repeat(1_024), 'x'.repeat(1_025), 'nul\0', '\uD800', 7, null, { id: 'ok' }];
    const listing = open();
    await clock.advance(0);
    expect(listing.ids).toEqual(['ok', 'x'.repeat(1_024)]);
    expect(failures().map((error) => (error as Error).message)).toEqual([expect.stringContaining('ignored 6 entries')]);
  });

  test('needs versions if nothing else reports edits', async () => {
    answer = () => ['a'];
    const listing = open({ run: undefined as never, provision: async () => {} });
    await clock.advance(0);
    expect({ known: listing.known, failures: failures().length }).toEqual({ known: false, failures: 1 });
    answer = () => [{ id: 'a', version: 1 }];
    await clock.advance(1_000);
    expect({ versionOfA: listing.version('a'), failures: failures().length }).toEqual({ versionOfA: '1', failures: 1 });
  });

  test('that a hint asks for comes 100 ms after the last one, once for a burst, after the one under way', async () => {
    const hints = new GivenHints();
    let gate: ReturnType<typeof deferred> | undefined;
    answer = () => gate?.promise ?? ['a'];
    const listing = open({ watch: hints.watch });
    await clock.advance(10);
    hints.changed(['a']);
    hints.gap();
    await clock.advance(89);
    expect(lists).toBe(1);
    await clock.advance(1);
    expect(lists).toBe(2);
    gate = deferred<any>();
    await clock.advance(1_000);
    expect(lists).toBe(3);
    hints.changed(['a']);
    const open3 = gate;
    gate = undefined;
    open3.resolve(['a'] as never);
    await clock.advance(99);
    expect(lists).toBe(3);
    await clock.advance(1);
    expect(lists).toBe(4);
    await listing.stop();
    hints.gap();
    await clock.advance(5_000);
    expect(lists).toBe(4);
  });

  test('pauses nine times as long as the last one took, whatever hints come, to spare the database', async () => {
    const hints = new GivenHints();
    let gate = deferred<any>();
    answer = () => gate.promise;
    const listing = open({ watch: hints.watch });
    await clock.advance(2_000);
    gate.resolve(['a'] as never);
    await clock.advance(0);
    gate = deferred();
    hints.changed(['a']);
    await clock.advance(17_999);
    expect(lists).toBe(1);
    await clock.advance(1);
    expect(lists).toBe(2);
    gate.resolve(['a'] as never);
    await clock.advance(0);
    await listing.refresh();
    expect(lists, 'a refresh does not wait as a hint does').toBe(3);
    await listing.stop();
  });

  test('keeps its array of ids while the same ids are listed', async () => {
    const listing = open();
    await clock.advance(0);
    const { ids } = listing;
    answer = () => ['a', { id: 'b', version: 2 }];
    await clock.advance(1_000);
    expect(listing.ids).toBe(ids);
    answer = () => ['a'];
    await clock.advance(1_000);
    expect(listing.ids).toEqual(['a']);
  });

  test('that was requested while another one was under way does not begin after the end', async () => {
    const gate = deferred<string[]>();
    answer = () => gate.promise;
    const listing = open();
    const refreshed = listing.refresh();
    await clock.advance(0);
    await listing.stop();
    gate.resolve([]);
    await refreshed;
    expect(lists).toBe(1);
  });

  test('that comes or fails after the end is ignored', async () => {
    for (const end of ['resolve', 'reject'] as const) {
      const gate = deferred<string[]>();
      answer = () => gate.promise;
      const listing = open();
      await clock.advance(0);
      await listing.stop();
      gate[end](['a'] as never);
      await clock.advance(0);
      expect({ known: listing.known, changes, failures: failures(), pendingTimers: clock.pendingTimers }).toEqual({
        known: false,
        changes: [],
        failures: [],
        pendingTimers: 0,
      });
    }
  });
});
