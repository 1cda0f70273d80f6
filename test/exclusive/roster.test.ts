import { describe, expect, test } from 'vitest';
import { Roster } from '../../src/exclusive/roster.js';

const members = (...names: string[]) => names.map((replica) => ({ replica, load: 1 }));

describe('the roster', () => {
  test('counts the replicas that the store lists, sorted, and gives this replica its place and share', () => {
    const roster = new Roster('b');
    expect(roster.rank).toBe(-1);
    expect(roster.share(10)).toBe(0);
    roster.update(members('c', 'a', 'b'), false, 0);
    expect(roster.names).toEqual(['a', 'b', 'c']);
    expect({ rank: roster.rank, size: roster.size, shareOf10: roster.share(10), shareOf11: roster.share(11) }).toEqual({
      rank: 1,
      size: 3,
      shareOf10: 3,
      shareOf11: 4,
    });
  });

  test('knows nobody before the store has answered, not even this replica', () => {
    const roster = new Roster('a');
    expect({ names: roster.names, members: roster.members(1), size: roster.size, othersLive: roster.othersLive }).toEqual({
      names: [],
      members: [],
      size: 0,
      othersLive: false,
    });
  });

  test('says that others live if the store lists one, whether or not it lists this replica', () => {
    const roster = new Roster('a');
    for (const { listed, others } of [
      { listed: ['a'], others: false },
      { listed: ['b'], others: true },
      { listed: ['a', 'b'], others: true },
    ]) {
      roster.update(members(...listed), false, 0);
      expect(roster.othersLive, listed.join()).toBe(others);
    }
  });

  test('notices that one replica has taken the place of another', () => {
    const roster = new Roster('a');
    roster.update(members('a', 'b'), false, 0);
    const { names } = roster;
    roster.update(members('a', 'b'), false, 1);
    expect(roster.names).toBe(names);
    roster.update(members('a', 'c'), false, 2);
    expect(roster.names).toEqual(['a', 'c']);
  });

  test('counts a replica at its first beat only if this replica has just joined itself', () => {
    const roster = new Roster('a');
    const joining = [{ replica: 'a', load: -1 }, { replica: 'b', load: -1 }];
    roster.update(joining, true, 0);
    expect(roster.names).toEqual(['a', 'b']);
    roster.update(joining, false, 0);
    expect(roster.names).toEqual(['a']);
  });

  test('uses its own current load instead of the one in the store', () => {
    const roster = new Roster('a');
    roster.update(members('a', 'b'), false, 0);
    expect(roster.members(7)).toEqual([{ replica: 'a', load: 7 }, { replica: 'b', load: 1 }]);
  });

  test('says that a replica lacks connections once it was there at the previous beat, until it has its share or leaves', () => {
    const roster = new Roster('a');
    roster.update(members('a', 'b'), false, 0);
    expect(roster.lacks('b', 4)).toBe(false);
    roster.update(members('a', 'b'), false, 0);
    expect(roster.lacks('b', 4)).toBe(true);
    expect(roster.lacks('b', 3), 'the odd one is for a').toBe(false);
    roster.remove('b', 0);
    expect(roster.lacks('b', 4)).toBe(false);
  });

  test('does not count a replica that has left, although the answer of a renewal under way lists it', () => {
    const roster = new Roster('a');
    roster.update(members('a', 'b'), false, 0);
    roster.remove('b', 10);
    expect(roster.othersLive).toBe(false);
    roster.update(members('a', 'b'), false, 10);
    expect({ names: roster.names, share: roster.share(10) }).toEqual({ names: ['a'], share: 10 });
  });

  test('believes the store if it was asked after a hint, and no second hint about the same replica', () => {
    const roster = new Roster('a');
    roster.update(members('a', 'b'), false, 0);
    roster.remove('b', 10);
    roster.update(members('a', 'b'), false, 11);
    roster.remove('b', 12);
    expect(roster.names).toEqual(['a', 'b']);
    roster.update(members('a'), false, 13);
    roster.update(members('a', 'b'), false, 14);
    roster.remove('b', 15);
    expect(roster.names, 'a replica that was missing from the list is a new one').toEqual(['a']);
  });

  test('remembers nothing of a replica that it does not know', () => {
    const roster = new Roster('a');
    roster.update(members('a'), false, 0);
    roster.remove('b', 10);
    roster.update(members('a', 'b'), false, 5);
    expect(roster.names).toEqual(['a', 'b']);
  });
});
