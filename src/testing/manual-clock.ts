import type { Clock } from '../clock.js';

interface Timer { readonly due: number; readonly ref: boolean; readonly callback: () => void }

/** A clock that moves only when a test calls `advance`. Tests of timers need not wait. */
export class ManualClock implements Clock {
  #monotonic = 0;
  #wall: number;
  #slept = 0;
  readonly #timers = new Set<Timer>();

  /** @param startAt - the wall clock's start, in milliseconds since the epoch */
  constructor(startAt = 1_700_000_000_000) {
    this.#wall = startAt;
  }

  now = (): number => this.#wall;

  monotonic = (): number => this.#monotonic;

  uptime = (): number => this.#monotonic + this.#slept;

  setTimeout = (callback: () => void, ms: number, { ref }: { ref: boolean }): (() => void) => {
    const timer: Timer = { due: this.#monotonic + Math.max(0, ms), ref, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  /** How many timers have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** How many of those timers would keep a process alive. */
  get pendingRefTimers(): number {
    return [...this.#timers].filter((timer) => timer.ref).length;
  }

  /** When the next timer is due, on the monotonic clock; `undefined` without timers. */
  get nextTimerAt(): number | undefined {
    return this.#next()?.due;
  }

  /** Moves both clocks by `ms`. Fires the timers that become due, in order, and lets promises settle after each. */
  async advance(ms: number): Promise<void> {
    const end = this.#monotonic + ms;
    await settle();
    while (this.#fireNext(end)) await settle();
    this.#moveTo(end);
    await settle();
  }

  /** Moves both clocks by `ms` and fires the timers that become due, without letting promises settle in between. */
  advanceSync(ms: number): void {
    const end = this.#monotonic + ms;
    while (this.#fireNext(end)) continue;
    this.#moveTo(end);
  }

  /** Lets the machine sleep: the wall clock and the uptime go on, the monotonic clock stands still, and no timer fires. */
  sleep(ms: number): void {
    this.#wall += ms;
    this.#slept += ms;
  }

  /** Moves only the wall clock, as an operator or NTP does. */
  jumpWall(ms: number): void {
    this.#wall += ms;
  }

  /** Fires the next timer if it is due by `end`, and returns whether it was. */
  #fireNext(end: number): boolean {
    const timer = this.#next();
    if (timer === undefined || timer.due > end) return false;
    this.#moveTo(timer.due);
    this.#timers.delete(timer);
    timer.callback();
    return true;
  }

  /** Never back: a timer may have moved the clock on by itself. */
  #moveTo(time: number): void {
    const reached = Math.max(time, this.#monotonic);
    this.#wall += reached - this.#monotonic;
    this.#monotonic = reached;
  }

  /** The next timer. Of several that are due at the same moment, it is the one that was set first. */
  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) if (next === undefined || timer.due < next.due) next = timer;
    return next;
  }
}

/** Lets all settled promises call back, and one turn of the event loop pass. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    const channel = new MessageChannel();
    channel.port1.addEventListener('message', () => { channel.port1.close(); resolve(); });
    channel.port1.start();
    channel.port2.postMessage(undefined);
  });
}
