import type { Clock } from '../clock.js';

/** A reading of both clocks. */
export interface Instant {
  readonly monotonic: number;
  readonly wall: number;
}

/** Reads both clocks. Take it before a call to the store is sent: the store counts from later. */
export function readInstant(clock: Clock): Instant {
  return { monotonic: clock.monotonic(), wall: clock.now() };
}

/**
 * How long a replica may believe that it still owns a connection, by its own clocks alone: `validMs` (ttl − margin)
 * from before the call was sent that proved it last. The store expires the claim later than that, so an owner has
 * stopped believing before anybody else can take over, whether or not the store can be reached.
 *
 * Elapsed time is the larger of monotonic and wall: the monotonic clock stands still while a machine is suspended,
 * the wall clock may be set back. A wall clock that jumps ahead ends the hold early, which costs a restart and breaks
 * nothing.
 */
export class Hold {
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

  /** A renewal that was sent at `sentAt` has succeeded. An answer that comes late proves only what it proves. */
  prove(sentAt: Instant): void {
    if (sentAt.monotonic > this.#provenAt.monotonic) this.#provenAt = sentAt;
  }

  /** Released, lost or expired: it is never held again. */
  end(): void {
    this.#ended = true;
  }

  /** Whether the claim can still be relied on at this very moment. */
  get held(): boolean {
    return !this.#ended && this.remainingMs > 0;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Until the local deadline, in milliseconds; 0 or less once it has passed. */
  get remainingMs(): number {
    const monotonic = this.#clock.monotonic() - this.#provenAt.monotonic;
    const wall = this.#clock.now() - this.#provenAt.wall;
    return this.#validMs - Math.max(monotonic, wall);
  }
}
