import type { ConnectionRecord } from '../contracts/record.js';
import type { ReleasedClaim } from './claims/contract.js';
import type { RunnerEnvironment } from './environment.js';
import type { Validity } from './validity.js';

/** Loops that stop at about the same time are released in one query. */
const COLLECT_MS = 10;
/** Queries follow each other no faster than this. */
const SPACING_MS = 50;
/** A replica that stops tries this often in a row. Then it leaves its claims to run out, because it is about to be killed. */
const LAST_TRIES = 2;

export interface Release {
  readonly claim: ReleasedClaim;
  /** Shows when the claim runs out. Without it the release is tried once. */
  readonly validity?: Validity;
  /** Called when the claim is released or has run out. */
  readonly released?: () => void;
}

/** Gives claims up in batches, one query at a time. A claim that cannot be released in time runs out by itself. */
export class Releases<R extends ConnectionRecord, I> {
  /** Whether a renewal may still be carried out that names this replica a member. It would undo a leave that overtook it. */
  announced = false;
  readonly #environment: RunnerEnvironment<R, I>;
  readonly #queue = new Set<Release>();
  #inFlight = false;
  #failedInRow = 0;
  #sentAt = -Infinity;
  #cancel: (() => void) | undefined;
  #leaving = false;
  #left = false;

  constructor(environment: RunnerEnvironment<R, I>) {
    this.#environment = environment;
  }

  add(release: Release): void {
    this.#queue.add(release);
    this.#soon(COLLECT_MS);
  }

  /** Sends without waiting for others to join the batch. A release that failed still waits for its next try. */
  flush(): void {
    if (this.#queue.size === 0 || this.#inFlight || this.#failedInRow > 0) return;
    this.stop();
    void this.#flush();
  }

  /** Sends nothing more, and leaves the queue as it is. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  get empty(): boolean {
    return this.#queue.size === 0 && !this.#inFlight;
  }

  /**
   * From now on every release also says that this replica leaves. The first is sent soon, even if no loop has stopped: the
   * others hand nothing to a replica that leaves, and take what it would have taken.
   */
  leaveWithNext(): void {
    this.#leaving = true;
    this.#soon(COLLECT_MS);
  }

  /** Says that this replica leaves, unless a release has already said so for good. */
  async leave(): Promise<void> {
    if (!this.#left) await this.#send([]);
  }

  #soon(delayMs: number): void {
    if (this.#inFlight || this.#cancel !== undefined || this.#environment.hasGivenUp) return;
    const { clock } = this.#environment;
    const wait = Math.max(delayMs, this.#sentAt + SPACING_MS - clock.monotonic());
    this.#cancel = clock.setTimeout(() => {
      this.#cancel = undefined;
      void this.#flush();
    }, wait, { ref: true });
  }

  async #flush(): Promise<void> {
    const { marginMs, tickMs } = this.#environment.options;
    const batch = [...this.#queue];
    this.#inFlight = true;
    const sent = await this.#send(batch.map(({ claim }) => claim));
    this.#inFlight = false;
    const givenUp = this.#leaving && this.#failedInRow >= LAST_TRIES;
    for (const release of batch) {
      const lapsed = givenUp || release.validity === undefined || release.validity.remainingMs <= -marginMs;
      if (!sent && !lapsed) continue;
      this.#queue.delete(release);
      release.released?.();
    }
    this.#environment.progressed();
    if (this.#queue.size > 0) this.#soon(sent ? COLLECT_MS : tickMs);
  }

  async #send(claims: readonly ReleasedClaim[]): Promise<boolean> {
    const { replica, clock } = this.#environment;
    const leave = this.#leaving;
    const leavesForGood = leave && !this.announced;
    this.#sentAt = clock.monotonic();
    const answer = await this.#environment.ask('release', async (store, options) => {
      await store.release({ replica, claims, leave }, options);
      return true;
    });
    const sent = answer === true;
    this.#left ||= sent && leavesForGood;
    this.#failedInRow = sent ? 0 : this.#failedInRow + 1;
    return sent;
  }
}
