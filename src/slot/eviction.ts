import type { DisposeReason } from '../contracts/factory.js';
import type { ConnectionRecord } from '../contracts/record.js';
import type { Environment } from '../environment.js';
import { Recency } from './recency.js';
import { Sieve } from './sieve.js';
import type { Slot } from './state.js';

/** Instances that one turn of the event loop ends when many reach `idleTimeoutMs` at once. */
const IDLE_BATCH = 512;
/** How many used slots are placed anew to find the one that has been idle for longest. */
const IDLE_EFFORT = 512;
const MINUTE_MS = 60_000;

/** Ends idle instances: those beyond `maxInstances`, by one of two policies, and those idle for `idleTimeoutMs`. */
export class Eviction<R extends ConnectionRecord, I> {
  readonly #env: Environment<R, I>;
  readonly #instances: () => number;
  readonly #supersede: (slot: Slot<R, I>, reason: DisposeReason) => void;
  readonly #recency = new Recency<R, I>();
  readonly #sieve: Sieve<R, I> | undefined;
  #cancelIdleClock: (() => void) | undefined;
  #stopped = false;
  #evictions = 0;
  #countedSince = -Infinity;
  /** Takes a leased slot out of the queue. `Slots.release` sees that it is not queued, and adds it to both again. */
  readonly #takeOut = (slot: Slot<R, I>): void => this.#recency.remove(slot);

  /** @param instances - how many instances are live or draining */
  constructor(
    env: Environment<R, I>,
    instances: () => number,
    supersede: (slot: Slot<R, I>, reason: DisposeReason) => void,
  ) {
    this.#env = env;
    this.#instances = instances;
    this.#supersede = supersede;
    this.#sieve = env.options.eviction === 'sieve' ? new Sieve<R, I>() : undefined;
  }

  /** Marks the end of a use. */
  touch(slot: Slot<R, I>): void {
    this.#recency.touch(slot);
  }

  /** The slot is idle and may be evicted from now on. */
  add(slot: Slot<R, I>): void {
    this.#recency.add(slot);
    if (this.#sieve !== undefined) {
      // Evict first, because otherwise the newest could be the first to go.
      this.evict();
      this.#sieve.add(slot);
    }
    this.evict();
    this.#startIdleClock(this.#env.options.idleTimeoutMs);
  }

  remove(slot: Slot<R, I>): void {
    this.#recency.remove(slot);
    this.#sieve?.remove(slot);
  }

  evict(): void {
    const { maxInstances } = this.#env.options;
    while (this.#instances() > maxInstances) {
      const victim = this.#sieve === undefined ? this.#recency.leastRecentlyUsed() : this.#sieve.victim(this.#takeOut);
      if (victim === undefined) return;
      this.#count(maxInstances);
      this.#supersede(victim, 'evicted');
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelIdleClock?.();
    this.#cancelIdleClock = undefined;
  }

  /** Reports thrashing: more evictions in a minute than `maxInstances` means that every instance was evicted once. */
  #count(maxInstances: number): void {
    const now = this.#env.clock.monotonic();
    if (now - this.#countedSince >= MINUTE_MS) {
      this.#countedSince = now;
      this.#evictions = 0;
    }
    this.#evictions += 1;
    if (this.#evictions === maxInstances + 1) this.#env.emit('thrashing', { maxInstances, evictionsPerMinute: this.#evictions });
  }

  /** One timer for all instances. It fires at the earliest time at which one can have been idle for long enough. */
  #startIdleClock(ms: number): void {
    if (this.#stopped || this.#cancelIdleClock !== undefined || this.#env.options.idleTimeoutMs === Infinity) return;
    this.#cancelIdleClock = this.#env.clock.setTimeout(() => {
      this.#cancelIdleClock = undefined;
      this.#disposeIdle();
      this.#env.effects.flush();
    }, ms, { ref: false });
  }

  #disposeIdle(): void {
    const now = this.#env.clock.monotonic();
    for (let left = IDLE_BATCH; left > 0; left -= 1) {
      const slot = this.#recency.leastRecentlyUsed(IDLE_EFFORT);
      if (slot === undefined) return;
      if (!this.#recency.isFirst(slot)) break;
      const remaining = slot.usedAt + this.#env.options.idleTimeoutMs - now;
      if (remaining > 0) {
        this.#startIdleClock(remaining);
        return;
      }
      this.#supersede(slot, 'idle');
    }
    // More than one batch is due. Let the event loop turn in between.
    this.#startIdleClock(1);
  }
}
