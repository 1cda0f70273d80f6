import { oncePerTurn, onNextTurn, systemClock, type Clock } from './clock.js';
import type { Surroundings } from './surroundings.js';

interface Entry {
  readonly due: number;
  /** `undefined` once it was called or cancelled. */
  callback: (() => void) | undefined;
  previous: Entry | undefined;
  next: Entry | undefined;
}

/**
 * A clock on which the deadlines of these durations share one timer each. A hydrate sets several deadlines and cancels
 * all of them soon afterwards: the runtime's timers were a quarter of the cost of a cold use.
 *
 * Timers are shared on the system's clock only, because the owner of another clock may look at its timers.
 *
 * @param inOwnContext - sets every timer. A timer keeps the async context in which it was set, and so does the timer that
 * its callback sets: without this, a registry keeps the context of one request for as long as it lives
 */
export function withSharedTimers(clock: Clock, durationsMs: readonly number[], inOwnContext: Surroundings): Clock {
  const apart: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimeout: (callback, ms, options) => inOwnContext(() => clock.setTimeout(callback, ms, options)),
  };
  if (clock !== systemClock) return apart;
  const now = oncePerTurn(clock);
  const queues = new Map(durationsMs.map((ms) => [ms, new TimerQueue(apart, now, ms)]));
  return {
    ...apart,
    setTimeout(callback, ms, options) {
      const queue = options.ref ? queues.get(ms) : undefined;
      return queue === undefined ? apart.setTimeout(callback, ms, options) : queue.add(callback);
    },
  };
}

/**
 * Deadlines that are all `ms` away when they are set, and so are due in the order in which they were set: the timer is set
 * for the first. It is cleared a turn after the last one was cancelled, because the next often follows in the same turn.
 */
export class TimerQueue {
  readonly #clock: Clock;
  readonly #now: () => number;
  readonly #ms: number;
  #first: Entry | undefined;
  #last: Entry | undefined;
  #cancelTimer: (() => void) | undefined;
  #timerDue = 0;
  #givingUp = false;

  /** @param now - the monotonic clock, read at least once per turn of the event loop: as exact as the runtime's timers */
  constructor(clock: Clock, now: () => number, ms: number) {
    this.#clock = clock;
    this.#now = now;
    this.#ms = ms;
  }

  /** Returns what cancels it. */
  add(callback: () => void): () => void {
    const previous = this.#last;
    const entry: Entry = { due: this.#now() + this.#ms, callback, previous, next: undefined };
    if (previous === undefined) this.#first = entry;
    else previous.next = entry;
    this.#last = entry;
    if (this.#cancelTimer === undefined) this.#arm(entry.due, this.#ms);
    return () => {
      if (entry.callback !== undefined) this.#remove(entry);
    };
  }

  #remove(entry: Entry): void {
    const { previous, next } = entry;
    // An entry that has grown old in memory keeps what it refers to until the next full collection, although it is garbage.
    // Without this, it would keep all later entries, and with each its request.
    entry.callback = entry.previous = entry.next = undefined;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    if (this.#first !== undefined || this.#givingUp) return;
    this.#givingUp = true;
    onNextTurn(() => {
      this.#givingUp = false;
      if (this.#first !== undefined) return;
      this.#cancelTimer?.();
      this.#cancelTimer = undefined;
    });
  }

  #arm(due: number, ms: number): void {
    this.#timerDue = due;
    this.#cancelTimer = this.#clock.setTimeout(() => this.#fire(), ms, { ref: true });
  }

  #fire(): void {
    // A timer of the runtime may be up to a millisecond early by its other clock.
    const now = Math.max(this.#timerDue, this.#clock.monotonic());
    try {
      for (let entry = this.#first; entry !== undefined && entry.due <= now; entry = this.#first) {
        const { callback } = entry;
        this.#remove(entry);
        callback?.();
      }
    } finally {
      this.#cancelTimer = undefined;
      if (this.#first !== undefined) this.#arm(this.#first.due, this.#first.due - now);
    }
  }
}
