import type { Member } from './claims/contract.js';
import { shareOf } from './share.js';

/** Which replicas live, as far as this one knows. It decides who takes what, never who may: that is the claim's. */
export class Roster {
  readonly #replica: string;
  #members: readonly Member[] = [];
  #previous: ReadonlySet<string> = new Set();
  /** Said that they leave, and are listed all the same: by an answer on its way, or because of a last renewal of theirs. */
  readonly #left = new Set<string>();

  constructor(replica: string) {
    this.#replica = replica;
  }

  /**
   * @param withJoining - whether replicas at their first beat count: for one that has just joined itself, so that those
   * which start together share from the beginning; not for the others, or what is released would wait for them
   */
  update(members: readonly Member[], withJoining: boolean): void {
    this.#previous = new Set(this.#members.map(({ replica }) => replica));
    const listed = new Set(members.map(({ replica }) => replica));
    for (const replica of this.#left) if (!listed.has(replica)) this.#left.delete(replica);
    this.#members = members.filter(({ replica, load }) => !this.#left.has(replica) && (withJoining || load >= 0 || replica === this.#replica))
      .toSorted((a, b) => (a.replica < b.replica ? -1 : 1));
  }

  /** It has said that it leaves, and nobody comes back under the same name. */
  remove(replica: string): void {
    this.#left.add(replica);
    this.#members = this.#members.filter((member) => member.replica !== replica);
  }

  /** With this replica's own load as it is now, for the others know it as it was. */
  members(load: number): readonly Member[] {
    return this.#members.map((member) => (member.replica === this.#replica ? { ...member, load } : member));
  }

  get names(): readonly string[] {
    return this.#members.map(({ replica }) => replica);
  }

  /** Whether a replica has been there for two heartbeats: one that comes and goes is handed nothing. */
  established(replica: string): boolean {
    return this.#previous.has(replica);
  }

  get othersLive(): boolean {
    return this.#members.some(({ replica }) => replica !== this.#replica);
  }

  /** How many of `total` connections are this replica's to own. */
  share(total: number): number {
    return shareOf(this.rank, this.#members.length, total);
  }

  /** This replica's place; -1 while the store does not count it as living. */
  get rank(): number {
    return this.#members.findIndex(({ replica }) => replica === this.#replica);
  }

  get size(): number {
    return this.#members.length;
  }
}
