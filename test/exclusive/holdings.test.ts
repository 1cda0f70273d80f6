import { ManualClock } from 'hydrant/testing';
import { describe, expect, it } from 'vitest';
import type { Holding } from '../../src/exclusive/holding.js';
import { Holdings } from '../../src/exclusive/holdings.js';

describe('what a replica holds', () => {
  it('is forgotten by identity: a late end does not touch what was claimed anew', () => {
    const holdings = new Holdings<never, never>(new ManualClock());
    const [old, current] = [{ id: 'c1' }, { id: 'c1' }] as unknown as [Holding<never, never>, Holding<never, never>];
    holdings.add(old);
    holdings.add(current);
    holdings.delete(old);
    expect(holdings.get('c1')).toBe(current);
    holdings.delete(current);
    expect(holdings.has('c1')).toBe(false);
  });
});
