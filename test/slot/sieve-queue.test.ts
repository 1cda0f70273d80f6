import { describe, expect, test } from 'vitest';
import { Sieve } from '../../src/slot/sieve.js';
import { Slot } from '../../src/slot/state.js';

type Row = { id: string; version: string; status: 'active' };
type Made = Slot<Row, string>;

describe("SIEVE's queue", () => {
  const queueOf = (
    ids: string,
  ): { sieve: Sieve<Row, string>; slots: Made[]; next: () => string | undefined; leased: string[] } => {
    const sieve = new Sieve<Row, string>();
    const slots = [...ids].map((id): Made => new Slot({ id, version: '1', status: 'active' }, { create: () => '' }, 0));
    for (const slot of slots) sieve.add(slot);
    const leased: string[] = [];
    return { sieve, slots, leased, next: () => sieve.victim(({ id }) => leased.push(id))?.id };
  };

  test('whoever comes twice has one place', () => {
    const { sieve, slots, next } = queueOf('aa');
    sieve.add(slots[0]!);
    sieve.remove(slots[0]!);
    expect(next()).toBe('a');
    sieve.remove(slots[1]!);
    expect(next()).toBeUndefined();
  });

  test('when whom the hand looks at next goes, it looks at the one behind', () => {
    const { sieve, slots, next } = queueOf('abc');
    expect(next()).toBe('a');
    sieve.remove(slots[1]!);
    expect(next()).toBe('c');
  });

  test('when another goes, it looks at the same as before', () => {
    const { sieve, slots, next } = queueOf('abcd');
    expect(next()).toBe('a');
    sieve.remove(slots[2]!);
    expect(next()).toBe('b');
  });

  test('who is in use gives up its place, and its holder is told', () => {
    const { slots, next, leased } = queueOf('ab');
    slots[0]!.leases = 1;
    expect(next()).toBe('b');
    expect(leased).toEqual(['a']);
  });
});
