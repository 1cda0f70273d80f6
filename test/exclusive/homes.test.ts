import { describe, expect, test } from 'vitest';
import { Circle, Homes } from '../../src/exclusive/homes.js';
import { Roster } from '../../src/exclusive/roster.js';
import type { Row } from './support/environment.js';

const ids = Array.from({ length: 10_001 }, (_, index) => `c${index}`).toSorted();
const names = ['a', 'b', 'c', 'd'];

const homeOf = (circle: Circle, rank: number): string[] =>
  Array.from({ length: circle.homeSize(rank) }, (_, steps) => circle.at(rank, steps));

describe('homes', () => {
  test('are exactly as large as the shares, and each connection has one', () => {
    const circle = new Circle(ids, names);
    const homes = names.map((_, rank) => homeOf(circle, rank));
    expect(homes.map((home) => home.length)).toEqual([2_501, 2_500, 2_500, 2_500]);
    expect(homes.flat().toSorted()).toEqual(ids);
  });

  test('lie on a circle: the step behind the last home leads to the first one', () => {
    const circle = new Circle(ids, names);
    expect(circle.at(3, 2_500)).toBe(circle.at(0, 0));
    expect(circle.at(1, 10_001)).toBe(circle.at(1, 0));
  });

  test('of a lost replica are spread over all others', () => {
    const lost = new Set(homeOf(new Circle(ids, names), 3));
    const fewer = new Circle(ids, names.slice(0, 3));
    for (const rank of [0, 1, 2]) {
      const part = homeOf(fewer, rank).filter((id) => lost.has(id)).length / (lost.size / 3);
      expect(part).toSatisfy((share: number) => share > 0.9 && share < 1.1);
    }
  });

  test('hardly differ between two replicas of which one knows one more connection', () => {
    const [one, other] = [new Circle(ids, names), new Circle(ids.toSpliced(5_000, 1), names)];
    for (const rank of [0, 1, 2, 3]) {
      const seen = new Set(homeOf(other, rank));
      expect(homeOf(one, rank).filter((id) => !seen.has(id)).length).toBeLessThanOrEqual(2);
    }
  });

  test('are needed for more than the 4,096 connections that one query names', () => {
    const homesOf = (count: number) => new Homes<Row, string>({ ids: ids.slice(0, count) }, new Roster('a'));
    expect({ 4_096: homesOf(4_096).allFit, 4_097: homesOf(4_097).allFit }).toEqual({ 4_096: true, 4_097: false });
  });

  test('are computed again only when the listing or the living replicas change', () => {
    const roster = new Roster('a');
    const members = names.map((replica) => ({ replica, load: 0 }));
    const listing = { ids };
    const homes = new Homes<Row, string>(listing, roster);
    roster.update(members, true, 0);
    const { circle } = homes;
    roster.update(members.map((member) => ({ ...member, load: 7 })), true, 1);
    expect(homes.circle).toBe(circle);
    roster.update(members.slice(1), true, 2);
    const later = homes.circle;
    expect(later).not.toBe(circle);
    listing.ids = [...ids];
    expect(homes.circle).not.toBe(later);
  });
});
