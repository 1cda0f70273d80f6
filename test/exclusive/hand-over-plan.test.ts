import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planHandOver } from '../../src/exclusive/balance.js';
import { shareOf } from '../../src/exclusive/roster.js';

const loads = (...counts: number[]) => counts.map((load, index) => ({ replica: `r${index}`, load }));

describe('fair shares', () => {
  test('add up to everything and differ by at most one', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: 10_000 }), (members, total) => {
      const shares = Array.from({ length: members }, (_, rank) => shareOf(rank, members, total));
      expect(shares.reduce((sum, share) => sum + share, 0)).toBe(total);
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
    }));
  });

  test('give nothing to a replica that does not count', () => {
    expect(shareOf(-1, 3, 10)).toBe(0);
    expect(shareOf(-1, 0, 10)).toBe(0);
  });
});

describe('the hand-over plan', () => {
  test('gives a newcomer its share, in equal parts from all', () => {
    const members = loads(200, 200, 200, 200, 200, 0);
    const given = members.map(({ replica }) => planHandOver(replica, members, 1_000).get('r5') ?? 0);
    expect(given, '1000 = 4 × 167 + 2 × 166').toEqual([33, 33, 33, 33, 34, 0]);
  });

  test('gives no replica more in a tick than it takes in a tick, so that no connection waits without an owner', () => {
    const members = loads(80_000, 80_000, 80_000, 0);
    const given = members.map(({ replica }) => planHandOver(replica, members, 240_000).get('r3') ?? 0);
    expect(given).toEqual([8_000, 0, 0, 0]);
  });

  test('moves nothing if loads differ by one, because that would only mirror the difference', () => {
    const members = loads(1, 2);
    expect(planHandOver('r1', members, 3)).toEqual(new Map());
  });

  test('evens out any loads, moves no connection twice, and takes no replica below its share', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 12 }), (counts) => {
      const members = loads(...counts);
      const total = counts.reduce((sum, count) => sum + count, 0);
      const after = [...counts];
      for (const [giver, { replica }] of members.entries()) {
        for (const [to, count] of planHandOver(replica, members, total)) {
          const taker = Number(to.slice(1));
          expect(counts[taker]!, 'nobody both gives and takes').toBeLessThan(shareOf(taker, members.length, total));
          after[giver]! -= count;
          after[taker]! += count;
        }
        expect(after[giver]!).toBeGreaterThanOrEqual(Math.min(counts[giver]!, shareOf(giver, members.length, total)));
      }
      expect(Math.max(...after) - Math.min(...after)).toBeLessThanOrEqual(1);
    }));
  });
});
