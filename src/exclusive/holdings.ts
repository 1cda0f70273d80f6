import type { Clock } from '../clock.js';
import type { ConnectionRecord } from '../contracts/record.js';
import type { Holding } from './holding.js';

/** What this replica has claimed, and the watch over its deadlines: one timer, for the soonest. */
export class Holdings<R extends ConnectionRecord, I> implements Iterable<Holding<R, I>> {
  readonly #clock: Clock;
  readonly #holdings = new Map<string, Holding<R, I>>();
  #cancel: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  [Symbol.iterator](): Iterator<Holding<R, I>> {
    return this.#holdings.values();
  }

  get(id: string): Holding<R, I> | undefined {
    return this.#holdings.get(id);
  }

  has(id: string): boolean {
    return this.#holdings.has(id);
  }

  add(holding: Holding<R, I>): void {
    this.#holdings.set(holding.id, holding);
  }

  /** By identity: what has been claimed anew meanwhile stays. */
  delete(holding: Holding<R, I>): void {
    if (this.#holdings.get(holding.id) === holding) this.#holdings.delete(holding.id);
  }

  /** How many count towards this replica's share. */
  get load(): number {
    let load = 0;
    for (const holding of this) if (holding.counts) load += 1;
    return load;
  }

  /** Whether anything is left that will still be released. */
  get settling(): boolean {
    for (const holding of this) if (holding.state !== 'stuck') return true;
    return false;
  }

  /**
   * Ends what has passed its deadline, and sets the timer for the next. To be called when holds were made; what has been
   * renewed meanwhile only makes the timer come early.
   */
  watchDeadlines(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    let soonestMs = Infinity;
    for (const holding of this) {
      if (holding.hold.ended) continue;
      const { remainingMs } = holding.hold;
      if (remainingMs <= 0) holding.expire();
      else soonestMs = Math.min(soonestMs, remainingMs);
    }
    // Rounded up: one that comes a fraction of a millisecond early finds the deadline ahead, and would be set for no time at all.
    if (soonestMs !== Infinity) this.#cancel = this.#clock.setTimeout(() => this.watchDeadlines(), Math.ceil(soonestMs), { ref: true });
  }

  stopWatching(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
