import { ManualClock } from 'hydrant/testing';
import { describe, expect, test } from 'vitest';
import type { Holding } from '../../src/exclusive/holding.js';
import { Holdings } from '../../src/exclusive/holdings.js';

describe('what a replica holds', () => {
  test('is forgotten by identity: a late end does not touch what was claimed anew', () => {
    const holdings = new Holdings<never, never>(new ManualClock());
    const [old, current] = [{ id: 'c1' }, { id: 'c1' }] as unknown as [Holding<never, never>, Holding<never, never>];
    holdings.add(old);
    holdings.add(current);
    holdings.delete(old);
    expect(holdings.get('c1')).toBe(current);
    holdings.delete(current);
    expect(holdings.has('c1')).toBe(false);
  });

  test('is looked after by a timer of whole milliseconds: a fraction would be none, over and over', async () => {
    const clock = new ManualClock();
    await clock.advance(0.1 + 0.2);
    const holdings = new Holdings<never, never>(clock);
    const waits: number[] = [];
    const hold = { ended: false, remainingMs: 1e-13 };
    clock.setTimeout = (_callback, ms) => { waits.push(ms); return () => undefined; };
    holdings.add({ id: 'c1', hold } as unknown as Holding<never, never>);
    holdings.watchDeadlines();
    expect(waits).toEqual([1]);
  });
});
