import { FORGIVING_MS, jitteredMs, mostFailures, type BackoffLimits } from '../delays.js';
import { isConnectionError, type ConnectionErrorCode } from '../errors.js';
import type { ClaimNotes } from './claim-notes.js';

/** Errors that are not the connection's fault. They are not counted, and are no reason to hand over. */
const POSTPONED: ReadonlySet<ConnectionErrorCode> = new Set<ConnectionErrorCode>([
  'BACKING_OFF', 'OVERLOADED', 'STORE_UNAVAILABLE', 'CONNECTION_NOT_FOUND', 'CONNECTION_STOPPED', 'REGISTRY_CLOSED',
]);

/** The consequence of a failed attempt. */
export interface Verdict {
  /** Whether it counts as a failure of this version of the record. */
  readonly counted: boolean;
  /** How long to wait before the next attempt. */
  readonly delayMs: number;
}

/**
 * The failed attempts of one connection: counted per version of its record, with a doubling, jittered, capped delay. Past
 * failures are forgiven in proportion to the time served, one after the other, so that a slow crash loop is held back too.
 */
export class StartFailures {
  readonly #notes: ClaimNotes;
  readonly #limits: BackoffLimits;
  #postponed = 0;
  /** Since when `run` has been serving, on the monotonic clock. Moves on with the failures that this time has forgiven. */
  servingSince: number | undefined;

  /** @param notes - where they are kept, so that they survive a change of owner */
  constructor(notes: ClaimNotes, limits: BackoffLimits) {
    this.#notes = notes;
    this.#limits = limits;
  }

  get count(): number {
    return this.#notes.failed?.count ?? 0;
  }

  /** The version that failed. */
  get version(): string | undefined {
    return this.#notes.failed?.version;
  }

  /** The delay after the failures so far. Zero if they concern another version. */
  inheritedDelayMs(version: string | undefined): number {
    if (this.count === 0) return 0;
    const mayBeSame = version === undefined || this.version === undefined || this.version === version;
    return mayBeSame ? jitteredMs(this.#limits, this.count) : 0;
  }

  /** Notes that an attempt at this version has failed. */
  note(error: unknown, version: string | undefined): Verdict {
    const postponed = isConnectionError(error) && POSTPONED.has(error.code);
    const leastMs = isConnectionError(error) ? error.retryAfterMs ?? 0 : 0;
    this.#postponed = postponed ? this.#postponed + 1 : 0;
    if (!postponed) this.#notes.failed = { version, count: (this.version === version ? this.count : 0) + 1 };
    return { counted: !postponed, delayMs: Math.max(leastMs, jitteredMs(this.#limits, this.#postponed || this.count)) };
  }

  /**
   * Forgives failures for the time that has been served.
   *
   * @param now - monotonic, milliseconds
   */
  forgive(now: number): void {
    if (this.servingSince === undefined) return;
    const forgiven = Math.floor((now - this.servingSince) / FORGIVING_MS);
    this.servingSince += forgiven * FORGIVING_MS;
    if (forgiven > 0 && this.count > 0) {
      // Failures beyond the one that reached the longest delay did not lengthen it, so they need not be forgiven.
      const count = Math.min(this.count, mostFailures(this.#limits)) - forgiven;
      this.#notes.failed = count > 0 ? { version: this.version, count } : undefined;
    }
  }
}
