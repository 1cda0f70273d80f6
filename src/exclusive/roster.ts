import type { Member } from './claims/contract.js';

/**
 * How many of `total` connections the member at `rank` (of `members`, sorted by name) should own. The shares add up to
 * `total` and differ by at most one. A replica that is not counted has a rank below 0 and owns none.
 */
export function shareOf(rank: number, members: number, total: number): number {
  if (rank < 0) return 0;
  return Math.floor(total / members) + (rank < total % members ? 1 : 0);
}

/** The living replicas, as far as this one knows: which of them tries to take which connections. Only a claim gives the right. */
export class Roster {
  readonly #replica: string;
  #members: readonly Member[] = [];
  #names: readonly string[] = [];
  #previous: readonly string[] = [];
  /** Replicas that a hint says have left and that are still listed, with the time of the hint. */
  readonly #left = new Map<string, number>();
  #rank = -1;

  constructor(replica: string) {
    this.#replica = replica;
  }

  /**
   * @param withJoining - whether replicas at their first beat count. They count for a replica that has just joined
   * itself, so that replicas which start together share from the beginning. They do not count for others, because
   * released connections would wait for them.
   * @param askedAt - when the store was asked, on the monotonic clock
   */
  update(members: readonly Member[], withJoining: boolean, askedAt: number): void {
    this.#previous = this.#names;
    const listed = new Set(members.map(({ replica }) => replica));
    for (const replica of this.#left.keys()) if (!listed.has(replica)) this.#left.delete(replica);
    const counts = ({ replica, load }: Member): boolean =>
      askedAt > (this.#left.get(replica) ?? -Infinity) && (withJoining || load >= 0 || replica === this.#replica);
    this.#keep(members.filter(counts).toSorted((a, b) => (a.replica < b.replica ? -1 : 1)));
  }

  /**
   * A hint says that the replica has left, so its share is free before the store is asked again. Anyone who may publish
   * can say that of a living replica. Therefore it is believed once per replica, and only until the store answers a
   * later question.
   */
  remove(replica: string, now: number): void {
    if (this.#left.has(replica) || !this.#names.includes(replica)) return;
    this.#left.set(replica, now);
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

  /**
   * Whether a replica has been there for two heartbeats, and had fewer than its share of `total` connections when it last
   * renewed. A replica that comes and goes is handed nothing.
   */
  lacks(replica: string, total: number): boolean {
    const rank = this.#names.indexOf(replica);
    return this.#previous.includes(replica) && (this.#members[rank]?.load ?? 0) < this.share(total, rank);
  }

  get othersLive(): boolean {
    return this.size > (this.#rank < 0 ? 0 : 1);
  }

  /** How many of `total` connections the replica of this rank should own, by default this one. */
  share(total: number, rank = this.#rank): number {
    return shareOf(rank, this.size, total);
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
    if (names.length !== this.#names.length || names.some((name, index) => name !== this.#names[index])) this.#names = names;
    this.#rank = members.findIndex(({ replica }) => replica === this.#replica);
  }
}
