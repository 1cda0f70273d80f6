import type { Clock } from '../clock.js';
import { answeredWithin } from './answered.js';
import type { ClaimStore, ReleasedClaim } from './claims/contract.js';
import type { Hold } from './hold.js';

/** Loops that stop at about the same time are released in one query. */
const COLLECT_MS = 10;
/** And queries follow each other no faster than this. */
const SPACING_MS = 50;
/** A replica that stops tries so often in a row; then it leaves its claims to run out, for it is about to be killed. */
const LAST_TRIES = 2;

export interface ReleasesHost {
  readonly replica: string;
  readonly clock: Clock;
  readonly claims: ClaimStore;
  readonly timeoutMs: number;
  readonly retryMs: number;
  readonly marginMs: number;
  /** Whether what is sent now may be undone by a renewal that is still under way. */
  readonly announced: () => boolean;
  /** A release was answered, or given up. */
  progressed(): void;
  failed(error: unknown): void;
}

export interface Release {
  readonly claim: ReleasedClaim;
  /** Tells when the claim runs out. Without it the release is tried once. */
  readonly hold?: Hold;
  /** The claim is released, or has run out by itself. */
  readonly released?: () => void;
}

/** Gives claims up, in batches, one query at a time. What cannot be released before it runs out is left to run out. */
export class Releases {
  readonly #host: ReleasesHost;
  readonly #queue = new Set<Release>();
  #inFlight = false;
  #failedInRow = 0;
  #sentAt = -Infinity;
  #cancel: (() => void) | undefined;
  #leaving = false;
  #left = false;

  constructor(host: ReleasesHost) {
    this.#host = host;
  }

  add(release: Release): void {
    this.#queue.add(release);
    this.#soon(COLLECT_MS);
  }

  get empty(): boolean {
    return this.#queue.size === 0 && !this.#inFlight;
  }

  /** From now on every release also says that this replica leaves. */
  leaveWithNext(): void {
    this.#leaving = true;
  }

  /** Says that this replica leaves, unless a release has said so for good. */
  async leave(): Promise<void> {
    this.#leaving = true;
    if (!this.#left) await this.#send([]);
  }

  #soon(delayMs: number): void {
    if (this.#inFlight || this.#cancel !== undefined) return;
    const wait = Math.max(delayMs, this.#sentAt + SPACING_MS - this.#host.clock.monotonic());
    this.#cancel = this.#host.clock.setTimeout(() => {
      this.#cancel = undefined;
      void this.#flush();
    }, wait, { ref: true });
  }

  async #flush(): Promise<void> {
    const batch = [...this.#queue];
    this.#inFlight = true;
    const sent = await this.#send(batch.map(({ claim }) => claim));
    this.#inFlight = false;
    const givenUp = this.#leaving && this.#failedInRow >= LAST_TRIES;
    for (const release of batch) {
      const lapsed = givenUp || release.hold === undefined || release.hold.remainingMs <= -this.#host.marginMs;
      if (!sent && !lapsed) continue;
      this.#queue.delete(release);
      release.released?.();
    }
    this.#host.progressed();
    if (this.#queue.size > 0) this.#soon(sent ? COLLECT_MS : this.#host.retryMs);
  }

  async #send(claims: readonly ReleasedClaim[]): Promise<boolean> {
    const { clock, timeoutMs, replica } = this.#host;
    const leave = this.#leaving;
    const leavesForGood = leave && !this.#host.announced();
    this.#sentAt = clock.monotonic();
    try {
      await answeredWithin(clock, timeoutMs, (options) => this.#host.claims.release({ replica, claims, leave }, options));
      this.#left ||= leavesForGood;
      this.#failedInRow = 0;
      return true;
    } catch (error) {
      this.#failedInRow += 1;
      this.#host.failed(error);
      return false;
    }
  }
}
