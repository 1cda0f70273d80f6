import { BoundedMap } from '../bounded.js';
import type { Clock } from '../clock.js';

/** Unknown ids that are remembered at a time. */
const MAX_UNKNOWN = 10_000;
/** Ids of which it is remembered what their row said although nothing was made of it. */
const MAX_PASSED_OVER = 10_000;

/** What was learnt of connections that have no slot to keep it. Bounded: what is forgotten is asked again. */
export class Learnt {
  readonly #clock: Clock;
  /** Ids the store does not know → until when that is believed. Monotonic, milliseconds. */
  readonly #unknown = new BoundedMap<{ readonly until: number }>(MAX_UNKNOWN);
  /**
   * Ids whose row led to no slot (not to be served, or nobody wanted it yet) → the version that is to be served, if any,
   * and when that was asked, or last put in doubt. Monotonic, milliseconds.
   */
  readonly #passedOver = new BoundedMap<{ readonly version: string | undefined; readonly sentAt: number }>(MAX_PASSED_OVER);
  /** When hints were last lost. Monotonic, milliseconds. */
  #doubtedAt = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the store was asked for this id a moment ago, and had no such row. */
  isUnknown(id: string): boolean {
    const unknown = this.#unknown.get(id);
    if (unknown === undefined) return false;
    if (this.#clock.monotonic() < unknown.until) return true;
    this.#unknown.delete(id);
    return false;
  }

  /** The store has no such row, which is to be believed until then. */
  unknown(id: string, until: number): void {
    this.#unknown.set(id, { until });
  }

  forgetUnknown(id: string): void {
    this.#unknown.delete(id);
  }

  /** A read that was sent then led to no slot. `version` is that of a row that is to be served. */
  passedOver(id: string, version: string | undefined, sentAt: number): void {
    this.#passedOver.set(id, { version, sentAt });
  }

  /** A hint: what was read of this id so far may be out of date. */
  doubt(id: string): void {
    this.#unknown.delete(id);
    if (this.#passedOver.get(id) !== undefined) this.passedOver(id, undefined, this.#clock.monotonic());
  }

  /** Hints may have been lost. */
  doubtAll(): void {
    this.#unknown.clear();
    this.#doubtedAt = this.#clock.monotonic();
  }

  /** Whether a read that was sent since then, or in the same millisecond, found anything but this version. */
  speaksAgainst(id: string, version: string, sentAt: number): boolean {
    const passedOver = this.#passedOver.get(id);
    return passedOver !== undefined && passedOver.sentAt >= sentAt && passedOver.version !== version;
  }

  /** Whether hints were lost since then. */
  doubtedSince(sentAt: number): boolean {
    return this.#doubtedAt >= sentAt;
  }
}
