import type { Member } from './claims/contract.js';

/**
 * How many of `total` connections the member at `rank` (of `members`, sorted by name) should own. The shares add up to
 * `total` and differ by at most one. A replica that is not counted has a rank below 0 and owns none.
 */
export function shareOf(rank: number, members: number, total: number): number {
  if (rank < 0) return 0;
  return Math.floor(total / members) + (rank < total % members ? 1 : 0);
}

/** Which replicas live, as far as this one knows. The roster decides who takes what. Only a claim decides who may. */
export class Roster {
  readonly #replica: string;
  #members: readonly Member[] = [];
  #names: readonly string[] = [];
  #salt = 0;
  #previous: ReadonlySet<string> = new Set();
  /** Replicas that said they leave but are still listed, by an answer under way or by their own last renewal. */
  readonly #left = new Set<string>();
  #rank = -1;

  constructor(replica: string) {
    this.#replica = replica;
  }

  /**
   * @param withJoining - whether replicas at their first beat count. They count for a replica that has just joined
   * itself, so that replicas which start together share from the beginning. They do not count for others, because
   * released connections would wait for them.
   */
  update(members: readonly Member[], withJoining: boolean): void {
    this.#previous = new Set(this.names);
    const listed = new Set(members.map(({ replica }) => replica));
    for (const replica of this.#left) if (!listed.has(replica)) this.#left.delete(replica);
    this.#keep(
      members
        .filter(({ replica, load }) => !this.#left.has(replica) && (withJoining || load >= 0 || replica === this.#replica))
        .toSorted((a, b) => (a.replica < b.replica ? -1 : 1)),
    );
  }

  /** The replica has said that it leaves. Names are never used again. */
  remove(replica: string): void {
    this.#left.add(replica);
    this.#keep(this.#members.filter((member) => member.replica !== replica));
  }

  /** The members, with this replica's own load as it is now: the others know an older one. */
  members(load: number): readonly Member[] {
    return this.#members.map((member) => (member.replica === this.#replica ? { ...member, load } : member));
  }

  /** Sorted. The same array until the members change. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** The rank of the replica at home with this connection. It is the same in every view with the same members. */
  home(id: string): number {
    return hash(id, this.#salt) % this.size;
  }

  /** Whether a replica has been there for two heartbeats. A replica that comes and goes is handed nothing. */
  established(replica: string): boolean {
    return this.#previous.has(replica);
  }

  get othersLive(): boolean {
    return this.#members.length > (this.#rank < 0 ? 0 : 1);
  }

  /** How many of `total` connections this replica should own. */
  share(total: number): number {
    return shareOf(this.#rank, this.#members.length, total);
  }

  /** This replica's place. It is -1 while the store does not count this replica as living. */
  get rank(): number {
    return this.#rank;
  }

  get size(): number {
    return this.#members.length;
  }

  #keep(members: readonly Member[]): void {
    this.#members = members;
    const names = members.map(({ replica }) => replica);
    if (names.length !== this.#names.length || names.some((name, index) => name !== this.#names[index])) {
      this.#names = names;
      // Other members, other homes: what a lost replica held is spread over all.
      this.#salt = hash(names.join(' '), 0);
    }
    this.#rank = members.findIndex(({ replica }) => replica === this.#replica);
  }
}

/** FNV-1a with a final mix, as an unsigned 32-bit number. */
function hash(text: string, salt: number): number {
  let mixed = 0x811c9dc5 ^ salt;
  for (let at = 0; at < text.length; at += 1) mixed = Math.imul(mixed ^ text.charCodeAt(at), 0x01000193);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}
