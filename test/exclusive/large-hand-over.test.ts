import { beforeEach, describe, expect, test } from 'vitest';
import { handOverSurplus } from '../../src/exclusive/balance.js';
import { reachOf } from '../../src/exclusive/candidates.js';
import type { Holdings } from '../../src/exclusive/holdings.js';
import { Homes } from '../../src/exclusive/homes.js';
import { TestEnvironment, type Row } from './support/environment.js';

/** Replica `r` owns all of a large fleet, and `s` has come with nothing. */
describe('a hand-over in a large fleet', () => {
  const TAKEN_PER_TICK = 8_000;
  let ids: string[];
  let environment: TestEnvironment;
  let homes: Homes<Row, string>;
  /** The connections that the newcomer looks at, in this order. */
  let inSight: string[];
  beforeEach(() => {
    ids = Array.from({ length: 40_000 }, (_, index) => `c${index}`).toSorted();
    environment = new TestEnvironment();
    homes = new Homes<Row, string>({ ids }, environment.roster);
    const members = [{ replica: 'r', load: ids.length }, { replica: 's', load: 0 }];
    for (const beat of [1, 2]) environment.roster.update(members, false, beat);
    const { circle } = homes;
    inSight = Array.from({ length: reachOf(circle.homeSize(1)) }, (_, steps) => circle.at(1, steps));
  });

  /** What is handed over if only these connections may move. */
  function handedOver(movable: ReadonlySet<string>): string[] {
    const given: string[] = [];
    const owned = ids.map((id) => ({
      id,
      moveCost: () => (movable.has(id) ? 2 : undefined),
      giveUp: () => { given.push(id); },
    }));
    const holdings = Object.assign(owned, { load: ids.length }) as unknown as Holdings<Row, string>;
    handOverSurplus(environment, holdings, homes);
    return given;
  }

  test('gives the newcomer what it looks at first, as many as it takes in a tick', () => {
    expect(handedOver(new Set(ids))).toEqual(inSight.slice(0, TAKEN_PER_TICK));
  });

  test('gives it nothing that it does not see before the offer ends, because nobody would own that until then', () => {
    const [nearest, furthest] = [inSight[0]!, inSight.at(-1)!];
    const seen = new Set(inSight);
    const beyond = ids.filter((id) => !seen.has(id));
    expect(handedOver(new Set([...beyond, furthest, nearest]))).toEqual([nearest, furthest]);
  });
});
