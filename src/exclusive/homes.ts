import type { ConnectionRecord } from '../contracts/record.js';
import type { Listing } from './listing.js';
import { shareOf, type Roster } from './roster.js';

/** Most ids that one claim query names, so that its size does not grow with the fleet. */
export const MAX_NAMED = 4_096;
/** Most claims that one query takes. */
export const MAX_AT_ONCE = 1_000;
/** The circle is ordered by so many bits of a hash, and by id where these are equal. */
const HASH_BITS = 12;

/**
 * All listed connections of a large fleet in one circle. Each living replica has a home in it: a stretch as long as its
 * share. The order depends on nothing but the ids and the names of the replicas, so every replica computes the same
 * homes. Other names make another circle, so the connections of a lost replica are spread over all homes.
 *
 * It holds numbers instead of ids, because a fleet may list a million.
 */
export class Circle {
  readonly #ids: readonly string[];
  readonly #replicas: number;
  readonly #places: Uint32Array;

  /**
   * @param ids - sorted
   * @param replicas - sorted names
   */
  constructor(ids: readonly string[], replicas: readonly string[]) {
    this.#ids = ids;
    this.#replicas = replicas.length;
    this.#places = inOrderOfHash(ids, hash(replicas.join(' '), 0));
  }

  get size(): number {
    return this.#ids.length;
  }

  /** How many connections are at home with the replica of this rank. */
  homeSize(rank: number): number {
    return shareOf(rank, this.#replicas, this.size);
  }

  /** The connection that many steps after the beginning of that replica's home. */
  at(rank: number, steps: number): string {
    const begin = rank * Math.floor(this.size / this.#replicas) + Math.min(rank, this.size % this.#replicas);
    return this.#ids[this.#places[(begin + steps) % this.size]!]!;
  }
}

/** The circle of the last listing and the living replicas. It is made anew only when one of them changes. */
export class Homes<R extends ConnectionRecord, I> {
  readonly #listing: Pick<Listing<R, I>, 'ids'>;
  readonly #roster: Roster;
  #made: { readonly ids: readonly string[]; readonly names: readonly string[]; readonly circle: Circle } | undefined;

  constructor(listing: Pick<Listing<R, I>, 'ids'>, roster: Roster) {
    this.#listing = listing;
    this.#roster = roster;
  }

  get ids(): readonly string[] {
    return this.#listing.ids;
  }

  /** Whether one query can name all connections. Then no replica needs a home. */
  get allFit(): boolean {
    return this.ids.length <= MAX_NAMED;
  }

  get circle(): Circle {
    const { ids } = this;
    const { names } = this.#roster;
    if (this.#made?.ids !== ids || this.#made.names !== names) this.#made = { ids, names, circle: new Circle(ids, names) };
    return this.#made.circle;
  }
}

/** The indices of `ids`, sorted by hash in linear time. */
function inOrderOfHash(ids: readonly string[], salt: number): Uint32Array {
  const hashes = new Uint16Array(ids.length);
  for (let index = 0; index < hashes.length; index += 1) hashes[index] = hash(ids[index]!, salt) >>> (32 - HASH_BITS);
  const next = new Uint32Array(2 ** HASH_BITS + 1);
  for (const one of hashes) next[one + 1]! += 1;
  for (let one = 1; one < next.length; one += 1) next[one]! += next[one - 1]!;
  const sorted = new Uint32Array(ids.length);
  for (let index = 0; index < hashes.length; index += 1) sorted[next[hashes[index]!]!++] = index;
  return sorted;
}

/** FNV-1a with a final mix, as an unsigned 32-bit number. */
function hash(text: string, salt: number): number {
  let mixed = 0x811c9dc5 ^ salt;
  for (let at = 0; at < text.length; at += 1) mixed = Math.imul(mixed ^ text.charCodeAt(at), 0x01000193);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}
