import type { Clock } from '../clock.js';

/** A reading of both clocks. */
export interface Instant {
  readonly monotonic: number;
  readonly wall: number;
}

/** Reads both clocks. Read them before a call to the store is sent, because the store starts counting later. */
export function readInstant(clock: Clock): Instant {
  return { monotonic: clock.monotonic(), wall: clock.now() };
}

/**
 * How long a replica may rely on a claim, by its own clocks alone: `validMs` (ttl − margin) from the moment before the
 * call was sent that last proved the claim. The store expires the claim later than that. An owner therefore stops
 * before another replica can take over, whether or not the store can be reached.
 *
 * Elapsed time is the larger of monotonic and wall. The monotonic clock stands still while a machine is suspended, and
 * the wall clock may be set back. A wall clock that jumps ahead ends the validity early, which only costs a restart.
 */
export class Validity {
  /** The claim's fencing token. */
  readonly token: bigint;
  readonly #clock: Clock;
  readonly #validMs: number;
  #provenAt: Instant;
  #ended = false;

  constructor(token: bigint, sentAt: Instant, validMs: number, clock: Clock) {
    this.token = token;
    this.#provenAt = sentAt;
    this.#validMs = validMs;
    this.#clock = clock;
  }

  /** A renewal sent at `sentAt` has succeeded. A late answer proves the claim only from the time it was sent. */
  prove(sentAt: Instant): void {
    if (sentAt.monotonic > this.#provenAt.monotonic) this.#provenAt = sentAt;
  }

  /** Released, lost or expired: the claim is never relied on again. */
  end(): void {
    this.#ended = true;
  }

  /** Whether the claim can be relied on at this very moment. */
  get held(): boolean {
    return !this.#ended && this.remainingMs > 0;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Milliseconds until the local deadline. Zero or less once it has passed. */
  get remainingMs(): number {
    const monotonic = this.#clock.monotonic() - this.#provenAt.monotonic;
    const wall = this.#clock.now() - this.#provenAt.wall;
    return this.#validMs - Math.max(monotonic, wall);
  }
}
