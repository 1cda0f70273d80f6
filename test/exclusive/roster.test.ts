import { describe, expect, test } from 'vitest';
import { Roster } from '../../src/exclusive/roster.js';

const members = (...names: string[]) => names.map((replica) => ({ replica, load: 1 }));

describe('who lives', () => {
  test('counts whoever the store lists, sorted, and gives this replica its place and share', () => {
    const roster = new Roster('b');
    expect(roster.rank).toBe(-1);
    expect(roster.share(10)).toBe(0);
    roster.update(members('c', 'a', 'b'), false);
    expect(roster.names).toEqual(['a', 'b', 'c']);
    expect([roster.rank, roster.size, roster.share(10), roster.share(11)]).toEqual([1, 3, 3, 4]);
  });

  test('counts a replica at its first beat only for one that has just joined itself', () => {
    const roster = new Roster('a');
    const joining = [{ replica: 'a', load: -1 }, { replica: 'b', load: -1 }];
    roster.update(joining, true);
    expect(roster.names).toEqual(['a', 'b']);
    roster.update(joining, false);
    expect(roster.names).toEqual(['a']);
  });

  test('knows its own load better than the store', () => {
    const roster = new Roster('a');
    roster.update(members('a', 'b'), false);
    expect(roster.members(7)).toEqual([{ replica: 'a', load: 7 }, { replica: 'b', load: 1 }]);
  });

  test('calls a replica established once it was there at the beat before', () => {
    const roster = new Roster('a');
    roster.update(members('a', 'b'), false);
    expect(roster.established('b')).toBe(false);
    roster.update(members('a', 'b'), false);
    expect(roster.established('b')).toBe(true);
  });

  test('does not count one that has left, although the answer of a renewal under way lists it', () => {
    const roster = new Roster('a');
    roster.update(members('a', 'b'), false);
    roster.remove('b');
    expect(roster.othersLive).toBe(false);
    roster.update(members('a', 'b'), false);
    roster.update(members('a', 'b'), false);
    expect(roster.names).toEqual(['a']);
    expect(roster.share(10)).toBe(10);
  });
});
