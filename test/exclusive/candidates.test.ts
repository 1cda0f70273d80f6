import { beforeEach, describe, expect, test } from 'vitest';
import { Candidates } from '../../src/exclusive/candidates.js';
import type { Holdings } from '../../src/exclusive/holdings.js';
import type { Listing } from '../../src/exclusive/listing.js';
import { Roster } from '../../src/exclusive/roster.js';
import type { Row } from './support/environment.js';

const members = ['a', 'b', 'c', 'd'].map((replica) => ({ replica, load: 0 }));
const ids = Array.from({ length: 20_000 }, (_, index) => `c${index}`);

let held: Set<string>;
let roster: Roster;

function candidatesOf(replica: string, listed: readonly string[] = ids): Candidates<Row, string> {
  roster = new Roster(replica);
  roster.update(members, true, 0);
  return new Candidates({ ids: listed } as unknown as Listing<Row, string>, roster, {
    has: (id: string) => held.has(id),
  } as unknown as Holdings<Row, string>);
}

beforeEach(() => { held = new Set(); });

describe('candidates', () => {
  test('are all that is not held, while one query can name them, and each replica begins elsewhere', () => {
    held.add('c1');
    const few = ['c0', 'c1', 'c2', 'c3'];
    expect(candidatesOf('a', few).next()).toEqual(['c0', 'c2', 'c3']);
    expect(candidatesOf('c', few).next()).toEqual(['c2', 'c3', 'c0']);
    expect(candidatesOf('c', few).nextOfHome()).toEqual(['c2', 'c3', 'c0']);
  });

  test('have a home, the same one in every view, and homes are of about the same size', () => {
    const sizes = [0, 0, 0, 0];
    candidatesOf('a');
    const seenByA = ids.map((id) => roster.home(id));
    candidatesOf('b');
    expect(ids.filter((id, index) => roster.home(id) !== seenByA[index])).toEqual([]);
    for (const id of ids) sizes[roster.home(id)]! += 1;
    for (const size of sizes) expect(size / (ids.length / 4)).toSatisfy((share: number) => share > 0.95 && share < 1.05);
  });

  test('of a replica that is lost are spread over all others', () => {
    candidatesOf('a');
    const lost = ids.filter((id) => roster.home(id) === 3);
    roster.update(members.slice(0, 3), true, 0);
    const sizes = [0, 1, 2].map((rank) => lost.filter((id) => roster.home(id) === rank).length);
    for (const size of sizes) expect(size / (lost.length / 3)).toSatisfy((share: number) => share > 0.9 && share < 1.1);
  });

  test('of a large fleet come in parts, half of each from home, and all come in the end', () => {
    const candidates = candidatesOf('b');
    const seen = new Set<string>();
    for (let query = 0; query < 12; query += 1) {
      const named = candidates.next();
      expect(named.length).toBeLessThanOrEqual(4_096);
      expect(named.filter((id) => roster.home(id) === roster.rank)).toHaveLength(2_048);
      for (const id of named) seen.add(id);
    }
    expect(seen.size).toBe(ids.length);
  });

  test('never name what is held, and are none when everything is', () => {
    const candidates = candidatesOf('b');
    held = new Set(ids.filter((_, index) => index % 2 === 0));
    expect([...candidates.next(), ...candidates.nextOfHome()].filter((id) => held.has(id))).toEqual([]);
    held = new Set(ids);
    expect({ next: candidates.next(), home: candidates.nextOfHome() }).toEqual({ next: [], home: [] });
  });

  test('of the home alone are looked at for orphans', () => {
    const candidates = candidatesOf('b');
    const named = [...candidates.nextOfHome(), ...candidates.nextOfHome()];
    expect(named.every((id) => roster.home(id) === roster.rank)).toBe(true);
    expect(new Set(named).size).toBe(ids.filter((id) => roster.home(id) === roster.rank).length);
  });
});
