import type { Clock } from '../clock.js';

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

/** Limits how often a replica looks for free connections: a token bucket. */
export class QueryAllowance {
  readonly #clock: Clock;
  readonly #perQueryMs: number;
  /** How many queries may be sent at once, as of `#reckonedAt`. */
  #queries = BURST;
  #reckonedAt: number;

  constructor(clock: Clock, tickMs: number) {
    this.#clock = clock;
    this.#perQueryMs = Math.min(tickMs, MAX_WINDOW_MS) / PER_WINDOW;
    this.#reckonedAt = clock.monotonic();
  }

  /** How long to wait until a query may be sent. Not above 0 if one may be sent now. */
  get waitMs(): number {
    const now = this.#clock.monotonic();
    this.#queries = Math.min(BURST, this.#queries + (now - this.#reckonedAt) / this.#perQueryMs);
    this.#reckonedAt = now;
    return (1 - this.#queries) * this.#perQueryMs;
  }

  /** A query is sent. */
  spend(): void {
    this.#queries -= 1;
  }
}
