import { BoundedMap } from '../bounded.js';
import type { Clock } from '../clock.js';

/** Unknown ids that are remembered at a time. */
const MAX_UNKNOWN = 10_000;
/** Ids of which it is remembered what their row said although there is no slot of it, or no longer. */
const MAX_WITHOUT_SLOT = 10_000;

interface Newest { readonly version: string | undefined; readonly sentAt: number }

/**
 * What was learnt of connections that have no slot to keep it. A webhook that is being authenticated holds a row all the
 * while: this tells whether the row has been outdated since. Bounded: what speaks against rows is forgotten all at once,
 * and then puts every older row in doubt.
 */
export class Learnt {
  readonly #clock: Clock;
  readonly #isRowHeld: () => boolean;
  /** Ids the store does not know → until when that is believed. Monotonic, milliseconds. */
  readonly #unknown = new BoundedMap<number>(MAX_UNKNOWN);
  /**
   * Ids whose row led to no slot (not to be served, or nobody wanted it yet) or whose slot has gone → the version that is
   * to be served, if any, and when that was asked, or last put in doubt. Monotonic, milliseconds.
   */
  readonly #newest = new Map<string, Newest>();
  /** When hints were last lost, or anything was forgotten. Monotonic, milliseconds. */
  #doubtedAt = -Infinity;

  /** @param isRowHeld - whether any webhook may hold a row: else nobody will ask what speaks against it */
  constructor(clock: Clock, isRowHeld: () => boolean) {
    this.#clock = clock;
    this.#isRowHeld = isRowHeld;
  }

  /** Whether the store was asked for this id a moment ago, and had no such row. */
  isUnknown(id: string): boolean {
    const until = this.#unknown.get(id);
    return until !== undefined && this.#clock.monotonic() < until;
  }

  /** The store has no such row, which is to be believed until then. */
  unknown(id: string, until: number): void {
    this.#unknown.set(id, until);
  }

  forgetUnknown(id: string): void {
    this.#unknown.delete(id);
  }

  /** A read that was sent then led to no slot, or to one that has gone. `version` is that of a row that is to be served. */
  withoutSlot(id: string, version: string | undefined, sentAt: number): void {
    if (!this.#isRowHeld()) return;
    const newest = this.#newest.get(id);
    if (newest !== undefined && newest.sentAt > sentAt) return;
    if (newest === undefined && this.#newest.size >= MAX_WITHOUT_SLOT) {
      this.#newest.clear();
      this.#doubtedAt = this.#clock.monotonic();
    }
    // Of two in the same millisecond nobody can tell which is the newer one.
    this.#newest.set(id, { version: newest?.sentAt === sentAt && newest.version !== version ? undefined : version, sentAt });
  }

  /** A hint: what was read of this id so far may be out of date. */
  doubt(id: string): void {
    this.#unknown.delete(id);
    this.withoutSlot(id, undefined, this.#clock.monotonic());
  }

  /** Hints may have been lost. */
  doubtAll(): void {
    this.#unknown.clear();
    this.#doubtedAt = this.#clock.monotonic();
  }

  /** Whether a read that was sent since then, or in the same millisecond, found anything but this version, or may have. */
  speaksAgainst(id: string, version: string, sentAt: number): boolean {
    const newest = this.#newest.get(id);
    return this.#doubtedAt >= sentAt || (newest !== undefined && newest.sentAt >= sentAt && newest.version !== version);
  }
}
