import type { ConnectionRecord } from '../contracts/record.js';
import type { Holdings } from './holdings.js';
import type { Listing } from './listing.js';
import type { Roster } from './roster.js';

/** Most ids that one claim query names, so that its size does not grow with the fleet. */
export const MAX_NAMED = 4_096;

/**
 * Chooses the connections that a claim query names. In a small fleet these are all that this replica does not hold. In a
 * larger one each connection has a home: one of the living replicas, the same one in everybody's view. A replica looks
 * through its home again and again, and more slowly through the rest. So a free connection is found by a replica that
 * need not look far, and the queries stay small.
 */
export class Candidates<R extends ConnectionRecord, I> {
  readonly #listing: Listing<R, I>;
  readonly #roster: Roster;
  readonly #holdings: Holdings<R, I>;
  /** What `#home` and `#rest` were made of. */
  #ids: readonly string[] | undefined;
  #names: readonly string[] | undefined;
  #home: readonly string[] = [];
  #rest: readonly string[] = [];
  #homeAt = 0;
  #restAt = 0;

  constructor(listing: Listing<R, I>, roster: Roster, holdings: Holdings<R, I>) {
    this.#listing = listing;
    this.#roster = roster;
    this.#holdings = holdings;
  }

  /** Whether one query can name them all. */
  get allFit(): boolean {
    return this.#listing.ids.length <= MAX_NAMED;
  }

  /** The next ones to ask for when this replica lacks some. */
  next(): readonly string[] {
    const { ids } = this.#listing;
    if (this.allFit) {
      // Every replica begins elsewhere, so that replicas which start together do not want the same connections.
      const first = Math.floor((this.#roster.rank * ids.length) / this.#roster.size);
      return [...ids.slice(first), ...ids.slice(0, first)].filter((id) => !this.#holdings.has(id));
    }
    this.#divide();
    const named: string[] = [];
    this.#homeAt = this.#collect(named, this.#home, this.#homeAt, MAX_NAMED / 2);
    this.#restAt = this.#collect(named, this.#rest, this.#restAt, MAX_NAMED);
    return named;
  }

  /** The next ones to look at for connections that nobody takes. */
  nextOfHome(): readonly string[] {
    if (this.allFit) return this.next();
    this.#divide();
    const named: string[] = [];
    this.#homeAt = this.#collect(named, this.#home, this.#homeAt, MAX_NAMED);
    return named;
  }

  #divide(): void {
    const { ids } = this.#listing;
    const { names, rank } = this.#roster;
    if (ids === this.#ids && names === this.#names) return;
    [this.#ids, this.#names] = [ids, names];
    const [home, rest]: [string[], string[]] = [[], []];
    for (const id of ids) (this.#roster.home(id) === rank ? home : rest).push(id);
    [this.#home, this.#rest] = [home, rest];
    // Others walk through the rest as well: not in the same place.
    this.#homeAt = 0;
    this.#restAt = Math.floor((rank * rest.length) / this.#roster.size);
  }

  /** Adds ids from a place on, until there are `most` in all or all have been seen. Returns the next place. */
  #collect(named: string[], from: readonly string[], start: number, most: number): number {
    let at = start;
    for (let seen = 0; seen < from.length && named.length < most; seen += 1) {
      const id = from[at % from.length]!;
      if (!this.#holdings.has(id)) named.push(id);
      at += 1;
    }
    return from.length === 0 ? 0 : at % from.length;
  }
}
