import type { Clock } from '../clock.js';

/** A reading of all clocks, in milliseconds. */
export interface Instant {
  readonly monotonic: number;
  readonly wall: number;
  readonly uptime: number;
}

/** Reads all clocks. Read them before a call to the store is sent, because the store starts counting later. */
export function readInstant(clock: Clock): Instant {
  const monotonic = clock.monotonic();
  return { monotonic, wall: clock.now(), uptime: clock.uptime?.() ?? monotonic };
}

/**
 * How long a replica may rely on a claim, by its own clocks alone: `validMs` (ttl − margin) from the moment before the
 * call was sent that last proved the claim. The store expires the claim later than that. An owner therefore stops
 * before another replica can take over, whether or not the store can be reached.
 *
 * Elapsed time is the largest that any clock shows. The monotonic clock stands still while a machine sleeps, the wall
 * clock may be set back, and not every system has an uptime that includes sleep. A clock that jumps ahead ends the
 * validity early, which only costs a restart.
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
    return this.remainingMsAt(readInstant(this.#clock));
  }

  /** The same for many claims at once: reading the clocks costs microseconds. */
  remainingMsAt({ monotonic, wall, uptime }: Instant): number {
    const provenAt = this.#provenAt;
    return this.#validMs - Math.max(monotonic - provenAt.monotonic, wall - provenAt.wall, uptime - provenAt.uptime);
  }
}
