import type { Clock } from '../clock.js';

interface Timer { readonly due: number; readonly order: number; readonly ref: boolean; readonly callback: () => void }

/** A clock that moves only when it is told to: what depends on time is tested without waiting. */
export class ManualClock implements Clock {
  #monotonic = 0;
  #wall: number;
  #order = 0;
  readonly #timers = new Set<Timer>();

  /** @param startAt - the wall clock's start, in milliseconds since the epoch */
  constructor(startAt = 1_700_000_000_000) {
    this.#wall = startAt;
  }

  now = (): number => this.#wall;

  monotonic = (): number => this.#monotonic;

  setTimeout = (callback: () => void, ms: number, { ref }: { ref: boolean }): (() => void) => {
    const timer: Timer = { due: this.#monotonic + Math.max(0, ms), order: this.#order++, ref, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  /** Timers that have not fired and were not cancelled. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Those of them that would keep a process alive. */
  get pendingRefTimers(): number {
    return [...this.#timers].filter((timer) => timer.ref).length;
  }

  /** When the next timer is due, on the monotonic clock; `undefined` without timers. */
  get nextTimerAt(): number | undefined {
    return this.#next()?.due;
  }

  /** Moves both clocks by `ms`, firing what becomes due in its order, and lets promises settle after each. */
  async advance(ms: number): Promise<void> {
    const end = this.#monotonic + ms;
    await settle();
    for (let timer = this.#next(); timer !== undefined && timer.due <= end; timer = this.#next()) {
      this.#moveTo(Math.max(timer.due, this.#monotonic));
      this.#timers.delete(timer);
      timer.callback();
      await settle();
    }
    this.#moveTo(end);
    await settle();
  }

  /** Moves both clocks by `ms` and fires what becomes due, without letting promises settle in between. */
  advanceSync(ms: number): void {
    const end = this.#monotonic + ms;
    for (let timer = this.#next(); timer !== undefined && timer.due <= end; timer = this.#next()) {
      this.#moveTo(Math.max(timer.due, this.#monotonic));
      this.#timers.delete(timer);
      timer.callback();
    }
    this.#moveTo(end);
  }

  /** Moves only the wall clock, as an operator or NTP does. */
  jumpWall(ms: number): void {
    this.#wall += ms;
  }

  #moveTo(time: number): void {
    this.#wall += time - this.#monotonic;
    this.#monotonic = time;
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (next === undefined || timer.due < next.due || (timer.due === next.due && timer.order < next.order)) next = timer;
    }
    return next;
  }
}

/** Lets everything that is ready to run in this turn run, and one turn of the event loop pass. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    const channel = new MessageChannel();
    channel.port1.addEventListener('message', () => { channel.port1.close(); resolve(); });
    channel.port1.start();
    channel.port2.postMessage(undefined);
  });
}
