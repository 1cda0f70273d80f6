import type { ConnectionRecord } from '../contracts/record.js';
import { OFFER_TICKS } from './balance.js';
import { Candidates, FURTHER_PER_TICK } from './candidates.js';
import type { ClaimRequest } from './claims/contract.js';
import type { RunnerEnvironment } from './environment.js';
import type { Holdings } from './holdings.js';
import { MAX_AT_ONCE, type Homes } from './homes.js';
import type { Listing } from './listing.js';
import { OrphanSearch } from './orphan-search.js';
import { QueryAllowance } from './query-allowance.js';
import { readInstant } from './validity.js';

type Wanted = Pick<ClaimRequest, 'ids' | 'limit' | 'freeForMs'>;

/** Takes free connections up to this replica's share, and orphans beyond it. One query at a time. */
export class Takeovers<R extends ConnectionRecord, I> {
  readonly #environment: RunnerEnvironment<R, I>;
  readonly #listing: Listing<R, I>;
  readonly #holdings: Holdings<R, I>;
  readonly #homes: Homes<R, I>;
  readonly #candidates: Candidates<R, I>;
  readonly #orphans: OrphanSearch<R, I>;
  readonly #allowance: QueryAllowance;
  #enabled = false;
  #current: Promise<void> | undefined;
  #again = false;
  #count = 0;
  /** Queries in a row and tick that may still look further. */
  #further = 0;
  /**
   * For so many ticks others may offer connections to this replica, because it was short at a tick. It may have filled its
   * share elsewhere since, from one that stopped. Then it takes offers beyond its share, because nobody else may.
   */
  #offerTicks = 0;
  /** A release in that time may have come with such an offer. */
  #offered = false;
  #cancel: (() => void) | undefined;

  constructor(environment: RunnerEnvironment<R, I>, listing: Listing<R, I>, holdings: Holdings<R, I>, homes: Homes<R, I>) {
    this.#environment = environment;
    this.#listing = listing;
    this.#holdings = holdings;
    this.#homes = homes;
    this.#candidates = new Candidates(homes, environment.roster, holdings);
    this.#orphans = new OrphanSearch(environment, homes);
    this.#allowance = new QueryAllowance(environment.clock, environment.options.tickMs);
  }

  /** Not before the replica knows the others, because it would take their connections. */
  enable(): void {
    this.#enabled = true;
  }

  disable(): void {
    this.#enabled = false;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  get inFlight(): boolean {
    return this.#current !== undefined;
  }

  /** Whether this replica knows the connections, so that it can take some. */
  get known(): boolean {
    return this.#listing.known;
  }

  /** How many queries have been sent so far. */
  get count(): number {
    return this.#count;
  }

  /** A tick has passed. */
  tick(): void {
    this.#offerTicks = this.#missing() > 0 ? OFFER_TICKS : this.#offerTicks - 1;
    this.#orphans.tick();
    this.#further = FURTHER_PER_TICK;
    this.soon();
  }

  /** Another replica has released something. */
  released(): void {
    this.#offered ||= this.#offerTicks > 0;
    this.soon();
  }

  /** Looks for something to take, now or when the allowance for queries has grown again. */
  soon(): void {
    if (!this.#enabled || this.#cancel !== undefined) return;
    if (this.#current !== undefined) {
      this.#again = true;
      return;
    }
    const { waitMs } = this.#allowance;
    if (waitMs <= 0) return this.#look();
    this.#cancel = this.#environment.clock.setTimeout(() => {
      this.#cancel = undefined;
      this.#look();
    }, waitMs, { ref: true });
  }

  /** Looks now, whatever the allowance. Resolves when a look that began after this call has been answered. */
  async now(): Promise<void> {
    await this.#current;
    if (!this.#enabled) return;
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#current === undefined) this.#look();
    await this.#current;
  }

  #look(): void {
    const wanted = this.#wanted();
    if (wanted === undefined) return;
    this.#allowance.spend();
    this.#count += 1;
    // A step later, so that a store that calls back in at once finds the query under way.
    this.#current = Promise.resolve().then(() => this.#claim(wanted));
  }

  async #claim(wanted: Wanted): Promise<void> {
    const { replica, clock, options: { ttlMs } } = this.#environment;
    const sentAt = readInstant(clock);
    const taken = await this.#environment.ask('claim', (claims, options) => claims.claim({ replica, ttlMs, ...wanted }, options));
    this.#current = undefined;
    this.#holdings.take(taken ?? [], sentAt);
    if (taken !== undefined && this.#looksFurther(taken.length > 0)) this.#again = true;
    if (!this.#again) return;
    this.#again = false;
    this.soon();
  }

  /** One query cannot name all connections of a large fleet, and the free ones may be among the others. */
  #looksFurther(found: boolean): boolean {
    if (this.#missing() <= 0) return this.#offered || this.#orphans.underWay;
    if (this.#homes.allFit) return false;
    this.#further -= 1;
    return found || this.#further >= 0;
  }

  /** How many connections this replica is short of its share. */
  #missing(): number {
    return this.#environment.roster.share(this.#listing.ids.length) - this.#holdings.load;
  }

  /** The request to send; `undefined` when there is nothing to take. */
  #wanted(): Wanted | undefined {
    if (this.#environment.roster.rank < 0) return undefined;
    const missing = this.#missing();
    const orphans = missing <= 0 && this.#orphans.due;
    if (missing <= 0 && !orphans && !this.#offered) return undefined;
    const ids = orphans ? this.#candidates.nextOfHome() : this.#candidates.next();
    if (ids.length === 0) return undefined;
    if (missing > 0) return { ids, limit: Math.min(missing, MAX_AT_ONCE), freeForMs: 0 };
    // A look for offers finds orphans as well.
    this.#offered = false;
    this.#orphans.looked();
    return { ids, limit: MAX_AT_ONCE, freeForMs: this.#orphans.freeForMs };
  }
}
