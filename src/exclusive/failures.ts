import { isConnectionError, type ConnectionErrorCode } from '../errors.js';
import type { FailedStarts } from './notes.js';

/** Nothing was tried that could have failed, or it is nobody's fault: not counted, and no reason to hand over. */
const POSTPONED: ReadonlySet<ConnectionErrorCode> = new Set<ConnectionErrorCode>([
  'BACKING_OFF', 'OVERLOADED', 'STORE_UNAVAILABLE', 'CONNECTION_NOT_FOUND', 'CONNECTION_STOPPED', 'REGISTRY_CLOSED',
]);

/** What a failed attempt comes to. */
export interface Verdict {
  /** Whether it counts as a failure of this version of the record. */
  readonly counted: boolean;
  /** How long to wait before the next attempt. */
  readonly delayMs: number;
}

/** The failed attempts of one connection: counted per version of its record, with a doubling, jittered, capped delay. */
export class StartFailures {
  /** Survives a change of owner. */
  failed: FailedStarts | undefined;
  readonly #backoff: { readonly initialMs: number; readonly maxMs: number };
  readonly #random: () => number;
  #postponed = 0;

  constructor(failed: FailedStarts | undefined, backoff: { readonly initialMs: number; readonly maxMs: number }, random: () => number) {
    this.failed = failed;
    this.#backoff = backoff;
    this.#random = random;
  }

  /** The delay that the failures so far amount to; none if they concern another version. */
  inheritedDelayMs(version: string | undefined): number {
    const { failed } = this;
    if (failed === undefined) return 0;
    return version === undefined || failed.version === undefined || failed.version === version ? this.#delayMs(failed.count) : 0;
  }

  /** An attempt at this version has failed. */
  note(error: unknown, version: string | undefined): Verdict {
    const postponed = isConnectionError(error) && POSTPONED.has(error.code);
    const leastMs = isConnectionError(error) ? error.retryAfterMs ?? 0 : 0;
    if (postponed) {
      this.#postponed += 1;
      return { counted: false, delayMs: Math.max(leastMs, this.#delayMs(this.#postponed)) };
    }
    this.#postponed = 0;
    const earlier = this.failed?.version === version ? this.failed?.count ?? 0 : 0;
    this.failed = { version, count: earlier + 1 };
    return { counted: true, delayMs: Math.max(leastMs, this.#delayMs(this.failed.count)) };
  }

  /** Full jitter: replicas and connections that failed together do not come back together. */
  #delayMs(count: number): number {
    const { initialMs, maxMs } = this.#backoff;
    return this.#random() * Math.min(maxMs, initialMs * 2 ** Math.min(count - 1, 52));
  }
}
