import type { ConnectionRecord } from '../contracts/record.js';
import type { Claim } from './claims/contract.js';
import type { RunnerEnvironment } from './environment.js';
import { Holding, type HoldingOwner } from './holding.js';
import type { Listing } from './listing.js';
import type { Releases } from './releases.js';
import { readInstant, Validity, type Instant } from './validity.js';

/** The connections that this replica has claimed, and the watch over their deadlines: one timer, for the soonest. */
export class Holdings<R extends ConnectionRecord, I> implements Iterable<Holding<R, I>>, HoldingOwner<R, I> {
  /** Stops the runner, because its registry has closed and this replica can serve nothing any more. */
  readonly registryClosed: () => void;
  readonly #environment: RunnerEnvironment<R, I>;
  readonly #listing: Listing<R, I>;
  readonly #releases: Releases<R, I>;
  readonly #holdings = new Map<string, Holding<R, I>>();
  #load = 0;
  #cancel: (() => void) | undefined;

  constructor(
    environment: RunnerEnvironment<R, I>,
    listing: Listing<R, I>,
    releases: Releases<R, I>,
    registryClosed: () => void,
  ) {
    this.#environment = environment;
    this.#listing = listing;
    this.#releases = releases;
    this.registryClosed = registryClosed;
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

  /** How many count towards this replica's share. */
  get load(): number {
    return this.#load;
  }

  /** Whether one of them runs and may still stop. */
  get running(): boolean {
    for (const { state } of this) if (state !== 'stuck' && state !== 'settled') return true;
    return false;
  }

  /** Keeps claims that were just taken, and releases those of connections that are not listed any more. */
  take(claims: readonly Claim[], sentAt: Instant): void {
    const {
      clock,
      options: { ttlMs, marginMs },
      state,
    } = this.#environment;
    for (const claim of claims) {
      const validity = new Validity(claim.token, sentAt, ttlMs - marginMs, clock);
      if (state !== 'running' || !this.#listing.has(claim.id) || this.has(claim.id)) this.#releases.add({ claim, validity });
      else this.#add(new Holding(this.#environment, claim, validity, this.#listing.version(claim.id), this));
    }
    // The claims may have run out already, if the answer came late.
    this.watchDeadlines();
    this.#environment.progressed();
  }

  listingChanged(): void {
    for (const holding of this) {
      if (this.#listing.has(holding.id)) holding.relisted(this.#listing.version(holding.id));
      else holding.giveUp('unlisted');
    }
  }

  countChanged(difference: number): void {
    this.#load += difference;
  }

  /** Nothing of a holding is left, or it did not stop in time. */
  over(holding: Holding<R, I>): void {
    const { id, validity, releaseWith } = holding;
    if (releaseWith === 'none') this.#delete(holding);
    else if (releaseWith !== undefined) {
      const claim = { id, token: validity.token, ...releaseWith };
      this.#releases.add({ claim, validity, released: () => this.#delete(holding) });
    }
    this.#environment.progressed();
  }

  /**
   * Ends holdings whose deadline has passed, and sets the timer for the next one. Call it after claims were taken. After
   * renewals the timer merely comes early.
   */
  watchDeadlines(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    let soonestMs = Infinity;
    const now = readInstant(this.#environment.clock);
    for (const holding of this) {
      const remainingMs = holding.validity.remainingMsAt(now);
      if (remainingMs <= 0) holding.expire();
      else soonestMs = Math.min(soonestMs, remainingMs);
    }
    // Rounded up: a timer that fires a fraction of a millisecond early would be set again at once.
    if (soonestMs !== Infinity) {
      this.#cancel = this.#environment.clock.setTimeout(() => this.watchDeadlines(), Math.ceil(soonestMs), { ref: true });
    }
  }

  stopWatching(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #add(holding: Holding<R, I>): void {
    this.#holdings.set(holding.id, holding);
    this.#load += 1;
  }

  /** By identity: a later holding of the same id stays. */
  #delete(holding: Holding<R, I>): void {
    if (this.#holdings.get(holding.id) === holding) this.#holdings.delete(holding.id);
  }
}
