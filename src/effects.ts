import { onMicrotask } from './clock.js';

/** Places that are kept after a burst. */
const MAX_ROOM = 1_024;

/**
 * Calls into foreign code (dispose, event listeners) that a step of the state machine gave rise to. They run when the
 * step is complete, so that code which calls back into the registry finds it in order.
 */
export class Effects {
  /** Keeps its length, because an emptied array frees its memory and allocates it again for the next effect. */
  #queue: ((() => void) | undefined)[] = [];
  /** The first one in the queue that has not run, and where the next one goes. */
  #next = 0;
  #end = 0;
  readonly #flushLater = (): void => this.flush();
  #running = false;

  /** Runs `effect` at the next `flush`, or in a microtask when none comes. `effect` must not throw. */
  add(effect: () => void): void {
    if (this.#end === this.#next && !this.#running) onMicrotask(this.#flushLater);
    this.#queue[this.#end++] = effect;
  }

  /** Called at the end of every step. */
  flush(): void {
    if (this.#running) return;
    this.#running = true;
    try {
      // By index, because `shift` moves all that follow: closing with 100 000 instances took 15 s in one turn.
      while (this.#next < this.#end) {
        const effect = this.#queue[this.#next];
        this.#queue[this.#next++] = undefined;
        effect?.();
      }
      this.#next = this.#end = 0;
      if (this.#queue.length > MAX_ROOM) this.#queue = [];
    } finally {
      this.#running = false;
    }
  }
}
