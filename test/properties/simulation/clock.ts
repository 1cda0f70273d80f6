interface Timer { readonly due: number; readonly order: number; readonly callback: () => void }

/**
 * The simulation's time. It moves only between two steps, and one timer at a time: unlike `ManualClock` it never
 * needs a turn of the real event loop, so that a program costs a millisecond.
 */
export class SimulatedClock {
  #time = 0;
  #order = 0;
  readonly #timers = new Set<Timer>();

  now = (): number => 1_700_000_000_000 + this.#time;

  monotonic = (): number => this.#time;

  setTimeout = (callback: () => void, ms: number, _options: { ref: boolean }): (() => void) => {
    const timer: Timer = { due: this.#time + Math.max(0, ms), order: this.#order++, callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  get pendingTimers(): number {
    return this.#timers.size;
  }

  get nextDue(): number | undefined {
    return this.#next()?.due;
  }

  moveTo(time: number): void {
    this.#time = Math.max(this.#time, time);
  }

  /** Fires the first timer that is due by now; false if there is none. */
  fireDue(): boolean {
    const timer = this.#next();
    if (timer === undefined || timer.due > this.#time) return false;
    this.#timers.delete(timer);
    timer.callback();
    return true;
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (next === undefined || timer.due < next.due || (timer.due === next.due && timer.order < next.order)) next = timer;
    }
    return next;
  }
}
