import { BoundedMap } from './bounded.js';
import type { Clock } from './clock.js';
import { jitteredMs, failuresAfterDeath, type BackoffLimits } from './delays.js';
import type { ConnectionError } from './errors.js';

/** Connections whose failures are remembered. A forgotten connection is tried again at once. */
const MAX_REMEMBERED = 10_000;

interface Failures {
  readonly version: string;
  /** A fraction where time lived has forgiven some. */
  readonly failures: number;
  readonly until: number;
  /** Set when this version cannot succeed: it is refused with this until it changes. */
  readonly permanent: ConnectionError | undefined;
  /** The row, to find the failures of connections that have no instance. */
  readonly row: unknown;
}

/** Failed attempts per connection and version, and how long the next one waits: doubling, with full jitter, capped. */
export class Backoff {
  readonly #failures = new BoundedMap<Failures>(MAX_REMEMBERED);
  readonly #limits: BackoffLimits;
  readonly #clock: Clock;

  constructor(limits: BackoffLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** The rest of this version's pause; 0 when it may be tried. */
  remainingMs(id: string, version: string): number {
    const failures = this.#of(id, version);
    return failures === undefined ? 0 : Math.max(0, failures.until - this.#clock.monotonic());
  }

  /** The permanent failure of this version, if there is one. */
  permanent(id: string, version: string): ConnectionError | undefined {
    return this.#of(id, version)?.permanent;
  }

  /** Whether another version of this connection is still backing off. */
  leavesAnotherAlone(id: string, version: string): boolean {
    const failures = this.#failures.get(id);
    return failures !== undefined && failures.version !== version && failures.until > this.#clock.monotonic();
  }

  /** The failures of this version in a row; a fraction where time lived has forgiven some. */
  count(id: string, version: string): number {
    return this.#of(id, version)?.failures ?? 0;
  }

  /** Notes a failure, after the earlier ones of this version. */
  fail(id: string, version: string, row?: unknown): { readonly count: number; readonly delayMs: number } {
    return this.#note(id, version, this.count(id, version) + 1, row);
  }

  /** Notes that this version cannot succeed. */
  failForGood(
    id: string,
    version: string,
    permanent: ConnectionError,
    row: unknown,
  ): { readonly count: number; readonly delayMs: number } {
    const failures = this.count(id, version) + 1;
    this.#failures.set(id, { version, failures, until: Infinity, permanent, row });
    return { count: Math.ceil(failures), delayMs: Infinity };
  }

  /**
   * Notes the death of an instance that was hydrated after `before` failures.
   *
   * @param inUse - found dead by one of its users, which always counts as a failure
   */
  died(id: string, version: string, hydratedAt: number, before: number, inUse: boolean, row?: unknown): void {
    // The row has moved on to a version that is backing off. The end of an older one must not end that back-off.
    if (this.leavesAnotherAlone(id, version)) return;
    const failures = failuresAfterDeath(this.#limits, before, this.#clock.monotonic() - hydratedAt, !inUse);
    if (failures > 0) this.#note(id, version, failures, row);
  }

  clear(id: string): void {
    this.#failures.delete(id);
  }

  /** Forgets the failures of all rows that match. */
  clearWhere(matches: (row: unknown) => boolean): void {
    this.#failures.deleteWhere(({ row }) => row !== undefined && matches(row));
  }

  #of(id: string, version: string): Failures | undefined {
    const failures = this.#failures.get(id);
    return failures?.version === version ? failures : undefined;
  }

  #note(id: string, version: string, failures: number, row: unknown): { readonly count: number; readonly delayMs: number } {
    const now = this.#clock.monotonic();
    const before = this.#of(id, version);
    // Two attempts of one version may fail at the same time: the second failure must not shorten the delay of the first.
    const delayMs = Math.max(jitteredMs(this.#limits, failures), (before?.until ?? 0) - now);
    this.#failures.set(id, { version, failures, until: now + delayMs, permanent: before?.permanent, row });
    return { count: Math.ceil(failures), delayMs };
  }
}
