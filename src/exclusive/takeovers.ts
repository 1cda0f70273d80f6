import type { Clock } from '../clock.js';
import { answeredWithin } from './answered.js';
import type { Claim, ClaimStore } from './claims/contract.js';
import { readInstant, type Instant } from './hold.js';
import type { Listing } from './listing.js';
import type { Roster } from './roster.js';

/** Most claims that one query takes. */
const MAX_AT_ONCE = 1_000;
/** Queries per window in the long run; a window is a tick, but at most so long: a hint is not to wait for a slow tick. */
const PER_WINDOW = 2;
const MAX_WINDOW_MS = 400;
/**
 * Queries that may follow each other at once after a quiet time. A replica that joins is handed something by each of
 * the others, and every hand-over is worth a query; whoever stops at that moment must not wait until it may ask again.
 */
const BURST = 8;
/** A connection that nobody has taken for so many ticks is anybody's, whatever the shares say. */
const ORPHAN_TICKS = 3;

export interface TakeoversHost {
  readonly replica: string;
  readonly clock: Clock;
  readonly claims: ClaimStore;
  readonly listing: Listing;
  readonly roster: Roster;
  readonly ttlMs: number;
  readonly tickMs: number;
  readonly timeoutMs: number;
  readonly load: () => number;
  readonly occupied: (id: string) => boolean;
  taken(claims: readonly Claim[], sentAt: Instant): void;
  failed(error: unknown): void;
}

/** Takes what is free, up to this replica's share, and what nobody takes. One query at a time. */
export class Takeovers {
  readonly #host: TakeoversHost;
  #enabled = false;
  #inFlight = false;
  #again = false;
  #count = 0;
  /** How many queries may be sent at once, as of when it was last reckoned. */
  #allowance = BURST;
  #reckonedAt: number;
  #orphansAt: number;
  #cancel: (() => void) | undefined;

  constructor(host: TakeoversHost) {
    this.#host = host;
    this.#reckonedAt = this.#orphansAt = host.clock.monotonic();
  }

  /** Before a replica knows its fellows it would take what is theirs. */
  enable(): void {
    this.#enabled = true;
  }

  disable(): void {
    this.#enabled = false;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  get inFlight(): boolean {
    return this.#inFlight;
  }

  /** How many queries have been sent so far. */
  get count(): number {
    return this.#count;
  }

  /** Looks for something to take: at once, or when the allowance for queries has grown again. */
  soon(): void {
    if (!this.#enabled || this.#cancel !== undefined) return;
    if (this.#inFlight) {
      this.#again = true;
      return;
    }
    const waitMs = this.#waitMs();
    if (waitMs <= 0) return void this.#look();
    this.#cancel = this.#host.clock.setTimeout(() => {
      this.#cancel = undefined;
      void this.#look();
    }, waitMs, { ref: true });
  }

  /** Until another query may be sent. */
  #waitMs(): number {
    const { clock, tickMs } = this.#host;
    const now = clock.monotonic();
    const perQueryMs = Math.min(tickMs, MAX_WINDOW_MS) / PER_WINDOW;
    this.#allowance = Math.min(BURST, this.#allowance + (now - this.#reckonedAt) / perQueryMs);
    this.#reckonedAt = now;
    return (1 - this.#allowance) * perQueryMs;
  }

  async #look(): Promise<void> {
    const wanted = this.#wanted();
    if (wanted === undefined) return;
    const { replica, clock, claims, ttlMs, timeoutMs } = this.#host;
    const sentAt = readInstant(clock);
    this.#allowance -= 1;
    this.#inFlight = true;
    this.#count += 1;
    let taken: readonly Claim[] = [];
    try {
      taken = await answeredWithin(clock, timeoutMs, (options) => claims.claim({ replica, ttlMs, ...wanted }, options));
    } catch (error) {
      this.#host.failed(error);
    }
    this.#inFlight = false;
    this.#host.taken(taken, sentAt);
    if (!this.#again) return;
    this.#again = false;
    this.soon();
  }

  /** What to ask for; `undefined` when there is nothing to. */
  #wanted(): { ids: readonly string[]; limit: number; freeForMs: number } | undefined {
    const { clock, listing, roster, load, occupied, tickMs } = this.#host;
    const { ids } = listing;
    if (!listing.known || roster.rank < 0) return undefined;
    const now = clock.monotonic();
    const missing = roster.share(ids.length) - load();
    if (missing <= 0 && now - this.#orphansAt < ORPHAN_TICKS * tickMs) return undefined;
    // Everybody begins elsewhere, so that replicas which start together do not want the same ones.
    const first = Math.floor((roster.rank * ids.length) / roster.size);
    const candidates = [...ids.slice(first), ...ids.slice(0, first)].filter((id) => !occupied(id));
    if (candidates.length === 0) return undefined;
    if (missing > 0) return { ids: candidates, limit: Math.min(missing, MAX_AT_ONCE), freeForMs: 0 };
    this.#orphansAt = now;
    return { ids: candidates, limit: MAX_AT_ONCE, freeForMs: ORPHAN_TICKS * tickMs };
  }
}
