import type { ClaimStore } from 'hydrant/exclusive';
import { beforeEach, describe, expect, test } from 'vitest';
import { Releases } from '../../src/exclusive/releases.js';
import { Validity } from '../../src/exclusive/validity.js';
import { deferred } from '../support/deferred.js';
import { TestEnvironment, type Row } from './support/environment.js';

describe('releases', () => {
  let clock: TestEnvironment['clock'];
  let sent: { ids: string[]; leave: boolean }[];
  let fail: boolean;
  let gone: string[];
  let release: ClaimStore['release'];
  const open = (): Releases<Row, string> => {
    const claims = {
      renew() {},
      claim() {},
      release: (...call: Parameters<typeof release>) => release(...call),
    } as unknown as ClaimStore;
    const environment = new TestEnvironment({ claims }, { marginMs: 100 });
    clock = environment.clock;
    return new Releases(environment);
  };
  const of = (id: string, validMs?: number): Parameters<Releases<Row, string>['add']>[0] => ({
    claim: { id, token: 1n, notes: undefined, offer: undefined },
    released: () => gone.push(id),
    ...(validMs === undefined
      ? {}
      : { validity: new Validity(1n, { monotonic: 0, wall: clock.now(), uptime: 0 }, validMs, clock) }),
  });
  beforeEach(() => {
    [sent, fail, gone] = [[], false, []];
    release = async ({ claims, leave }) => {
      sent.push({ ids: claims.map(({ id }) => id), leave });
      if (fail) throw new Error('down');
    };
  });

  test('are collected for 10 ms, and the next query follows after 50 ms', async () => {
    const releases = open();
    expect(releases.empty).toBe(true);
    releases.add(of('a'));
    await clock.advance(9);
    releases.add(of('b'));
    expect({ sent, empty: releases.empty, pendingRefTimers: clock.pendingRefTimers }).toEqual({
      sent: [],
      empty: false,
      pendingRefTimers: 1,
    });
    await clock.advance(1);
    expect({ sent, gone, empty: releases.empty }).toEqual({
      sent: [{ ids: ['a', 'b'], leave: false }],
      gone: ['a', 'b'],
      empty: true,
    });
    releases.add(of('c'));
    await clock.advance(49);
    expect(sent).toHaveLength(1);
    await clock.advance(1);
    expect(sent[1]).toEqual({ ids: ['c'], leave: false });
  });

  test('that fail are retried until their claim has lapsed, those of unknown claims once', async () => {
    fail = true;
    const releases = open();
    releases.add(of('stray'));
    releases.add(of('held', 1_500));
    await clock.advance(10);
    expect({ gone, empty: releases.empty }).toEqual({ gone: ['stray'], empty: false });
    await clock.advance(999);
    expect(sent).toHaveLength(1);
    await clock.advance(1);
    expect({ sent: sent.length, gone }).toEqual({ sent: 2, gone: ['stray'] });
    await clock.advance(1_000);
    expect({ sent: sent.length, gone, empty: releases.empty }).toEqual({ sent: 3, gone: ['stray', 'held'], empty: true });
  });

  test('are sent one query at a time, and later ones wait for its answer', async () => {
    const gates: ReturnType<typeof deferred>[] = [];
    release = () => { const gate = deferred(); gates.push(gate); return gate.promise; };
    const releases = open();
    releases.add(of('a'));
    await clock.advance(10);
    releases.add(of('b'));
    await clock.advance(400);
    expect({ gates: gates.length, empty: releases.empty }).toEqual({ gates: 1, empty: false });
    gates[0]?.resolve(undefined as never);
    await clock.advance(50);
    expect({ gates: gates.length, gone }).toEqual({ gates: 2, gone: ['a'] });
  });

  test('are retried until the claim has expired for the others too, one margin later than here', async () => {
    fail = true;
    const releases = open();
    const tryAfterMs = { second: 1_010, third: 2_010 };
    const marginMs = 100;
    releases.add(of('over here at the second', tryAfterMs.second));
    releases.add(of('over everywhere at the third', tryAfterMs.third - marginMs));
    await clock.advance(tryAfterMs.second);
    expect({ sent: sent.length, gone }).toEqual({ sent: 2, gone: [] });
    await clock.advance(tryAfterMs.third - tryAfterMs.second);
    expect({ sent: sent.length, gone }).toEqual({ sent: 3, gone: ['over here at the second', 'over everywhere at the third'] });
    expect(clock.pendingTimers).toBe(0);
  });

  test('are given up at the second failure of a replica that leaves', async () => {
    fail = true;
    const releases = open();
    releases.leaveWithNext();
    releases.add(of('held', 60_000));
    await clock.advance(10);
    expect(gone).toEqual([]);
    await clock.advance(1_000);
    expect({ gone, leave: sent.map(({ leave }) => leave) }).toEqual({ gone: ['held'], leave: [true, true] });
  });

  test('say soon that a replica leaves, although none of its loops has stopped', async () => {
    const releases = open();
    releases.leaveWithNext();
    await clock.advance(10);
    expect(sent).toEqual([{ ids: [], leave: true }]);
    await releases.leave();
    expect(sent).toHaveLength(1);
  });

  test('say that a replica leaves, once, unless a renewal under way may bring it back', async () => {
    for (const announced of [false, true]) {
      sent = [];
      const releases = open();
      releases.announced = announced;
      releases.leaveWithNext();
      releases.add(of('a'));
      await clock.advance(100);
      await releases.leave();
      expect(sent).toEqual([{ ids: ['a'], leave: true }, ...announced ? [{ ids: [], leave: true }] : []]);
    }
  });
});
