import { BoundedMap } from './bounded.js';
import type { Clock } from './clock.js';

interface Failures { readonly version: string; readonly count: number; readonly until: number }

/** An instance that lived this many times the delay it would have been given was healthy: its past is forgiven. */
const HEALTHY_LIFE = 10;
/** Connections whose failures are remembered; the rest are tried again at once. */
const MAX_REMEMBERED = 10_000;

/** Failed attempts per connection and version, and until when the next one waits: doubling, full jitter, capped. */
export class Backoff {
  readonly #failures = new BoundedMap<Failures>(MAX_REMEMBERED);
  readonly #initialMs: number;
  readonly #maxMs: number;
  readonly #clock: Clock;

  constructor({ initialMs, maxMs }: { readonly initialMs: number; readonly maxMs: number }, clock: Clock) {
    this.#initialMs = initialMs;
    this.#maxMs = maxMs;
    this.#clock = clock;
  }

  /** How long this version is still to be left alone; 0 when it may be tried. */
  remainingMs(id: string, version: string): number {
    const failures = this.#failures.get(id);
    return failures === undefined || failures.version !== version ? 0 : Math.max(0, failures.until - this.#clock.monotonic());
  }

  /** Whether another version of this connection is still to be left alone. */
  leavesAnotherAlone(id: string, version: string): boolean {
    const failures = this.#failures.get(id);
    return failures !== undefined && failures.version !== version && failures.until > this.#clock.monotonic();
  }

  /** How often this version has failed in a row. */
  count(id: string, version: string): number {
    const failures = this.#failures.get(id);
    return failures?.version === version ? failures.count : 0;
  }

  /** Notes a failure, after those of this version that went before. */
  fail(id: string, version: string): { readonly count: number; readonly delayMs: number } {
    return this.#note(id, version, this.#clock.monotonic(), this.count(id, version));
  }

  /**
   * Notes the death of an instance that had come to life at `hydratedAt`, after `earlier` failures. Found dead in use it
   * counts as a failure at any age, reported by itself only if it died young.
   */
  died(id: string, version: string, hydratedAt: number, earlier: number, inUse: boolean): void {
    // The row has moved on to a version that is being left alone: the end of an older one must not end that.
    if (this.leavesAnotherAlone(id, version)) return;
    const now = this.#clock.monotonic();
    const healthy = now - hydratedAt >= HEALTHY_LIFE * this.#ceilingMs(earlier);
    if (inUse) this.#note(id, version, now, healthy ? 0 : earlier);
    // Dated from the hydrate: an instance that dies young is not made anew more often than one that never came to life.
    else if (!healthy) this.#note(id, version, hydratedAt, earlier);
  }

  clear(id: string): void {
    this.#failures.delete(id);
  }

  #note(id: string, version: string, at: number, earlier: number): { readonly count: number; readonly delayMs: number } {
    const count = earlier + 1;
    // A webhook and a hydrate may fail of the same secrets: what the one was told is not cut short by the other.
    const before = this.#failures.get(id);
    const notedMs = before?.version === version ? before.until - at : 0;
    const delayMs = Math.max(Math.random() * this.#ceilingMs(earlier), notedMs);
    this.#failures.set(id, { version, count, until: at + delayMs });
    return { count, delayMs };
  }

  #ceilingMs(earlier: number): number {
    return Math.min(this.#maxMs, this.#initialMs * 2 ** Math.min(earlier, 52));
  }
}
