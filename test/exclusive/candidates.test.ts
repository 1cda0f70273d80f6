import { beforeEach, describe, expect, test } from 'vitest';
import { Candidates, FURTHER_PER_TICK, reachOf } from '../../src/exclusive/candidates.js';
import { Homes } from '../../src/exclusive/homes.js';
import { Roster } from '../../src/exclusive/roster.js';
import type { Row } from './support/environment.js';

const members = ['a', 'b', 'c', 'd'].map((replica) => ({ replica, load: 0 }));
const ids = Array.from({ length: 20_000 }, (_, index) => `c${index}`).toSorted();

let held: Set<string>;
/** The connections at home with the replica of the last `candidatesOf`. */
let home: Set<string>;
/** The ids that follow the home, if the replica is offered some. */
let beside: readonly string[];

function candidatesOf(replica: string, listed: readonly string[] = ids): Candidates<Row, string> {
  const roster = new Roster(replica);
  roster.update(members, true, 0);
  const homes = new Homes<Row, string>({ ids: listed }, roster);
  const { circle } = homes;
  const size = circle.homeSize(roster.rank);
  const stretch = (first: number, end: number): string[] =>
    Array.from({ length: end - first }, (_, steps) => circle.at(roster.rank, first + steps));
  home = new Set(stretch(0, size));
  beside = stretch(size, Math.min(reachOf(size), listed.length));
  return new Candidates(homes, roster, { has: (id: string) => held.has(id) });
}

beforeEach(() => {
  held = new Set();
});

describe('candidates', () => {
  test('are all free connections while one query can name them, and each replica begins elsewhere', () => {
    held.add('c1');
    const few = ['c0', 'c1', 'c2', 'c3'];
    expect(candidatesOf('a', few).next()).toEqual(['c0', 'c2', 'c3']);
    expect(candidatesOf('c', few).next()).toEqual(['c2', 'c3', 'c0']);
    expect(candidatesOf('c', few).nextOfHome()).toEqual(['c2', 'c3', 'c0']);
  });

  test('of a large fleet come in parts, half of each part from the home, and every one comes up', () => {
    const candidates = candidatesOf('b');
    const seen = new Set<string>();
    for (let query = 0; query < 12; query += 1) {
      const named = candidates.next();
      expect(named.length).toBeLessThanOrEqual(4_096);
      expect(named.filter((id) => home.has(id))).toHaveLength(2_048);
      for (const id of named) seen.add(id);
    }
    expect(seen.size).toBe(ids.length);
  });

  test('name an offer beside the home within a tick, however long the replica has looked in vain', () => {
    const listed = Array.from({ length: 80_000 }, (_, index) => `c${index}`).toSorted();
    const candidates = candidatesOf('b', listed);
    for (let query = 0; query < 5; query += 1) candidates.next();
    const named = new Set(Array.from({ length: FURTHER_PER_TICK + 1 }, () => candidates.next()).flat());
    expect(beside.filter((id) => !named.has(id))).toEqual([]);
  });

  test('name nothing twice in one query, however small the homes are', () => {
    const candidates = candidatesOf('b', ids.slice(0, 4_200));
    for (const named of [candidates.next(), candidates.nextOfHome()]) expect(new Set(named).size).toBe(named.length);
  });

  test('never include a held connection, and are empty when everything is held', () => {
    const candidates = candidatesOf('b');
    held = new Set(ids.filter((_, index) => index % 2 === 0));
    expect([...candidates.next(), ...candidates.nextOfHome()].filter((id) => held.has(id))).toEqual([]);
    held = new Set(ids);
    expect({ next: candidates.next(), home: candidates.nextOfHome() }).toEqual({ next: [], home: [] });
  });

  test('for orphans come from the home alone', () => {
    const candidates = candidatesOf('b');
    const named = [...candidates.nextOfHome(), ...candidates.nextOfHome()];
    expect(named.every((id) => home.has(id))).toBe(true);
    expect(new Set(named).size).toBe(home.size);
  });
});
