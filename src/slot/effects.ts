import { onMicrotask } from '../clock.js';

/**
 * Calls into foreign code (dispose, event listeners) that a step of the state machine gave rise to. They run when the
 * step is complete, so that code which calls back into the registry finds it in order.
 */
export class Effects {
  readonly #queue: (() => void)[] = [];
  readonly #flushLater = (): void => this.flush();
  #running = false;

  /** Runs `effect` at the next `flush`, or in a microtask when none comes. `effect` must not throw. */
  add(effect: () => void): void {
    if (this.#queue.push(effect) === 1 && !this.#running) onMicrotask(this.#flushLater);
  }

  /** Called at the end of every step. */
  flush(): void {
    if (this.#running) return;
    this.#running = true;
    try {
      for (let effect = this.#queue.shift(); effect !== undefined; effect = this.#queue.shift()) effect();
    } finally {
      this.#running = false;
    }
  }
}
