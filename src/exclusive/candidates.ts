import type { ConnectionRecord } from '../contracts/record.js';
import type { Holdings } from './holdings.js';
import { MAX_NAMED, type Circle, type Homes } from './homes.js';
import type { Roster } from './roster.js';

/** Queries in a row and tick that look further when the ones before did not find enough. */
export const FURTHER_PER_TICK = 8;

/**
 * How far a replica that lacks connections looks before an offer to it expires, in steps from the beginning of its home:
 * half of each query is for the home, a quarter for what follows it, and a quarter for the rest of the circle.
 */
export const reachOf = (home: number): number => home + (FURTHER_PER_TICK * MAX_NAMED) / 4;

/**
 * Chooses the connections that a claim query names. In a small fleet these are all that this replica does not hold. In a
 * larger one a replica looks through its home and what follows it again and again, and more slowly through the rest of
 * the circle. So a free connection is found by a replica that need not look far, and the queries stay small.
 */
export class Candidates<R extends ConnectionRecord, I> {
  readonly #homes: Homes<R, I>;
  readonly #roster: Roster;
  readonly #holdings: Pick<Holdings<R, I>, 'has'>;
  #circle: Circle | undefined;
  #homeAt = 0;
  #besideAt = 0;
  #restAt = 0;

  constructor(homes: Homes<R, I>, roster: Roster, holdings: Pick<Holdings<R, I>, 'has'>) {
    this.#homes = homes;
    this.#roster = roster;
    this.#holdings = holdings;
  }

  /** The next ones to claim when this replica has too few. */
  next(): readonly string[] {
    const { ids, allFit } = this.#homes;
    if (allFit) {
      // Every replica begins elsewhere, so that replicas which start together do not want the same connections.
      const first = Math.floor((this.#roster.rank * ids.length) / this.#roster.size);
      return [...ids.slice(first), ...ids.slice(0, first)].filter((id) => !this.#holdings.has(id));
    }
    const named: string[] = [];
    const { circle, home } = this.#look();
    this.#homeAt = this.#collect(named, 0, home, this.#homeAt, MAX_NAMED / 2);
    const reach = Math.min(circle.size, reachOf(home));
    this.#besideAt = this.#collect(named, home, reach - home, this.#besideAt, MAX_NAMED * 0.75);
    this.#restAt = this.#collect(named, reach, circle.size - reach, this.#restAt, MAX_NAMED);
    return named;
  }

  /** The next ones to look at for orphans: connections that no replica takes. */
  nextOfHome(): readonly string[] {
    if (this.#homes.allFit) return this.next();
    const named: string[] = [];
    const { home } = this.#look();
    this.#homeAt = this.#collect(named, 0, home, this.#homeAt, MAX_NAMED);
    return named;
  }

  #look(): { readonly circle: Circle; readonly home: number } {
    const { circle } = this.#homes;
    if (circle !== this.#circle) [this.#circle, this.#homeAt, this.#besideAt, this.#restAt] = [circle, 0, 0, 0];
    return { circle, home: circle.homeSize(this.#roster.rank) };
  }

  /**
   * Adds ids of a stretch of the circle, which begins `first` steps after the home's beginning. It goes on at `start`,
   * until there are `most` in all or the stretch has been seen. Returns the next place.
   */
  #collect(named: string[], first: number, length: number, start: number, most: number): number {
    let at = start;
    for (let seen = 0; seen < length && named.length < most; seen += 1) {
      const id = this.#circle!.at(this.#roster.rank, first + at);
      if (!this.#holdings.has(id)) named.push(id);
      at = at + 1 < length ? at + 1 : 0;
    }
    return at;
  }
}
