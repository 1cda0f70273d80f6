import type { ConnectionRecord } from '../contracts/record.js';
import { OFFER_TICKS } from './balance.js';
import { Candidates, FURTHER_PER_TICK } from './candidates.js';
import type { ClaimRequest } from './claims/contract.js';
import type { RunnerEnvironment } from './environment.js';
import type { Holdings } from './holdings.js';
import { MAX_AT_ONCE, MAX_NAMED, type Circle, type Homes } from './homes.js';
import type { Listing } from './listing.js';
import { readInstant } from './validity.js';

/**
 * Queries per window in the long run. A window is a tick, but at most this long, because a hint must not wait for a
 * slow tick.
 */
const PER_WINDOW = 2;
const MAX_WINDOW_MS = 400;
/**
 * Queries that may follow each other at once after a quiet time. Each of the other replicas hands something to one that
 * joins, and every hand-over is worth a query. A replica that stops at that moment must not wait for the allowance.
 */
const BURST = 8;
/**
 * A connection that no replica has taken for this many ticks is free for all, whatever the shares. In a large fleet it is
 * taken after one tick, because replicas with too few connections do not look into the homes of others.
 */
const ORPHAN_TICKS = 3;
/** For this many ticks after the fleet has changed, a replica with its share looks through all of its home. */
const THOROUGH_TICKS = 3;

type Wanted = Pick<ClaimRequest, 'ids' | 'limit' | 'freeForMs'>;

/** Takes free connections up to this replica's share, and orphans beyond it. One query at a time. */
export class Takeovers<R extends ConnectionRecord, I> {
  readonly #environment: RunnerEnvironment<R, I>;
  readonly #listing: Listing<R, I>;
  readonly #holdings: Holdings<R, I>;
  readonly #homes: Homes<R, I>;
  readonly #candidates: Candidates<R, I>;
  #enabled = false;
  #current: Promise<void> | undefined;
  #again = false;
  #count = 0;
  #further = 0;
  #circle: Circle | undefined;
  #thoroughTicks = 0;
  /** Looks at connections of the home that are left in this tick. */
  #orphanLooks = 0;
  /** How many queries may be sent at once, as of `#reckonedAt`. */
  #allowance = BURST;
  #reckonedAt: number;
  #orphansAt: number;
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
    this.#reckonedAt = this.#orphansAt = environment.clock.monotonic();
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
    this.#offered &&= this.#offerTicks > 0;
    this.#thoroughTicks -= 1;
    if (!this.#homes.allFit && this.#homes.circle !== this.#circle) {
      this.#circle = this.#homes.circle;
      this.#thoroughTicks = THOROUGH_TICKS;
    }
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
    const waitMs = this.#waitMs();
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

  /** Until another query may be sent. */
  #waitMs(): number {
    const { clock, options: { tickMs } } = this.#environment;
    const now = clock.monotonic();
    const perQueryMs = Math.min(tickMs, MAX_WINDOW_MS) / PER_WINDOW;
    this.#allowance = Math.min(BURST, this.#allowance + (now - this.#reckonedAt) / perQueryMs);
    this.#reckonedAt = now;
    return (1 - this.#allowance) * perQueryMs;
  }

  #look(): void {
    const wanted = this.#wanted();
    if (wanted === undefined) return;
    this.#allowance -= 1;
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
    const short = this.#missing() > 0;
    if (!short && this.#offered) return true;
    if (this.#homes.allFit) return false;
    if (!short) return this.#orphanLooks > 0;
    this.#further -= 1;
    return found || this.#further >= 0;
  }

  /** How many connections this replica is short of its share. */
  #missing(): number {
    return this.#environment.roster.share(this.#listing.ids.length) - this.#holdings.load;
  }

  /** The request to send; `undefined` when there is nothing to take. */
  #wanted(): Wanted | undefined {
    const { clock, roster, options: { tickMs } } = this.#environment;
    if (roster.rank < 0) return undefined;
    const missing = this.#missing();
    const now = clock.monotonic();
    const { allFit } = this.#homes;
    const ticks = allFit ? ORPHAN_TICKS : 1;
    const due = now - this.#orphansAt >= ticks * tickMs;
    const orphans = missing <= 0 && (due || this.#orphanLooks > 0);
    if (missing <= 0 && !orphans && !this.#offered) return undefined;
    const ids = orphans ? this.#candidates.nextOfHome() : this.#candidates.next();
    if (ids.length === 0) return undefined;
    if (missing > 0) return { ids, limit: Math.min(missing, MAX_AT_ONCE), freeForMs: 0 };
    this.#offered = false;
    if (orphans) {
      if (due) {
        this.#orphansAt = now;
        this.#orphanLooks = this.#looksAtHome();
      }
      this.#orphanLooks -= 1;
    }
    return { ids, limit: MAX_AT_ONCE, freeForMs: ticks * tickMs };
  }

  /** How many looks at its home this replica takes in a tick of a large fleet. */
  #looksAtHome(): number {
    if (this.#thoroughTicks <= 0) return 1;
    const home = this.#homes.circle.homeSize(this.#environment.roster.rank);
    return Math.min(FURTHER_PER_TICK, Math.ceil(home / MAX_NAMED));
  }
}
