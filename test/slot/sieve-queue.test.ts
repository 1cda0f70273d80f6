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
    const slots = [...ids].map((id): Made => new Slot({ id, version: '1', status: 'active' }, { create: () => '' }, 0, false));
    for (const slot of slots) sieve.add(slot);
    const leased: string[] = [];
    return { sieve, slots, leased, next: () => sieve.victim(({ id }) => leased.push(id))?.id };
  };

  test('a slot that is added twice has one place', () => {
    const { sieve, slots, next } = queueOf('aa');
    sieve.add(slots[0]!);
    sieve.remove(slots[0]!);
    expect(next()).toBe('a');
    sieve.remove(slots[1]!);
    expect(next()).toBeUndefined();
  });

  test('when the slot at the hand is removed, the hand moves to the one behind', () => {
    const { sieve, slots, next } = queueOf('abc');
    expect(next()).toBe('a');
    sieve.remove(slots[1]!);
    expect(next()).toBe('c');
  });

  test('when another slot is removed, the hand stays', () => {
    const { sieve, slots, next } = queueOf('abcd');
    expect(next()).toBe('a');
    sieve.remove(slots[2]!);
    expect(next()).toBe('b');
  });

  test('a leased slot gives up its place, and the callback gets it', () => {
    const { slots, next, leased } = queueOf('ab');
    slots[0]!.leases = 1;
    expect(next()).toBe('b');
    expect(leased).toEqual(['a']);
  });
});
