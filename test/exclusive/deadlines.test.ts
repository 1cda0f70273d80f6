import { ManualClock } from 'hydrant/testing';
import { describe, expect, test } from 'vitest';
import { StartGate } from '../../src/exclusive/gate.js';
import type { Holding } from '../../src/exclusive/holding.js';
import { Holdings } from '../../src/exclusive/holdings.js';

type Row = { id: string; version: string; status: 'active' };

describe('all holdings of a runner', () => {
  const setUp = () => {
    const clock = new ManualClock();
    const expired: string[] = [];
    const holdings = new Holdings<Row, string>(clock);
    const add = (id: string, endsAt: number, { ended = false, counts = true, state = 'working' } = {}): void => holdings.add({
      id, counts, state, expire: () => { expired.push(`${id} at ${clock.monotonic()}`); holdings.delete(holdings.get(id) as Holding<Row, string>); },
      hold: { ended, get remainingMs() { return endsAt - clock.monotonic(); } },
    } as unknown as Holding<Row, string>);
    return { clock, expired, holdings, add };
  };

  test('expire each at its deadline, by one timer, which holds the process open', async () => {
    const { clock, expired, holdings, add } = setUp();
    holdings.watchDeadlines();
    expect(clock.pendingTimers).toBe(0);
    add('late', 200.5);
    add('soon', 100);
    add('over', 50, { ended: true });
    holdings.watchDeadlines();
    holdings.watchDeadlines();
    expect([clock.pendingTimers, clock.pendingRefTimers]).toEqual([1, 1]);
    await clock.advance(500);
    expect(expired).toEqual(['soon at 100', 'late at 201']);
    expect(clock.pendingTimers).toBe(0);
    add('again', 600);
    holdings.watchDeadlines();
    holdings.stopWatching();
    expect(clock.pendingTimers).toBe(0);
  });

  test('count those that count, and settle while one of them is not stuck', () => {
    const { holdings, add } = setUp();
    expect([holdings.load, holdings.settling]).toEqual([0, false]);
    add('stuck', 1, { counts: false, state: 'stuck' });
    expect([holdings.load, holdings.settling]).toEqual([0, false]);
    add('working', 1);
    expect([holdings.load, holdings.settling]).toEqual([1, true]);
  });
});

test('who is cancelled when its turn has come gives it on', async () => {
  const gate = new StartGate(1);
  const begun: string[] = [];
  const cancel = gate.enter(() => begun.push('first'));
  gate.enter(() => begun.push('second'));
  cancel();
  await Promise.resolve();
  await Promise.resolve();
  expect(begun).toEqual(['second']);
  const waiting = gate.enter(() => begun.push('third'));
  gate.enter(() => begun.push('fourth'));
  waiting();
  gate.leave();
  await Promise.resolve();
  await Promise.resolve();
  expect(begun).toEqual(['second', 'fourth']);
});
