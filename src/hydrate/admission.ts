/** Gives a permit back. Further calls do nothing. */
export type FreePermit = () => void;

interface Waiting {
  /** Rises with every waiting hydrate, across all factories. */
  readonly order: number;
  admit(free: FreePermit): void;
}

/** The hydrates of one factory that wait for a permit, in order of arrival. */
interface Line<T> {
  readonly waiting: Map<T, Waiting>;
  readonly max: number;
  running: number;
}

/**
 * Permits to hydrate. The registry has a limit, and a factory may have a smaller one of its own. The next permit goes to
 * the first in line that may have one. Leaving the line makes room in it at once.
 */
export class Admission<T> {
  readonly #lines = new Map<object | undefined, Line<T>>();
  readonly #max: number;
  readonly #maxQueued: number;
  readonly #run: (candidate: T, free: FreePermit) => void;
  #running = 0;
  #order = 0;

  /** @param run - what is done with a permit, until it calls `free` */
  constructor(max: number, maxQueued: number, run: (candidate: T, free: FreePermit) => void) {
    this.#max = max;
    this.#maxQueued = maxQueued;
    this.#run = run;
  }

  get queued(): number {
    let queued = 0;
    for (const { waiting } of this.#lines.values()) queued += waiting.size;
    return queued;
  }

  /**
   * Whether one more would wait in a full queue. A factory with a share of its own has a queue of its own, so an outage
   * of its platform delays no other platform.
   */
  isFull(factory: object, share: number | undefined): boolean {
    const line = this.#line(factory, share);
    return !this.#hasPermit(line) && line.waiting.size >= this.#maxQueued;
  }

  /** @param share - at most this many of the permits for `factory` */
  enter(candidate: T, factory: object, share: number | undefined): void {
    const line = this.#line(factory, share);
    if (this.#hasPermit(line)) {
      this.#run(candidate, this.#permit(line));
      return;
    }
    // A promise, so that the waiting hydrate continues in its own async context, not in that of the one that made room.
    void new Promise<FreePermit>((admit) => {
      line.waiting.set(candidate, { order: this.#order++, admit });
    }).then((free) => this.#run(candidate, free));
  }

  leave(candidate: T): void {
    for (const { waiting } of this.#lines.values()) waiting.delete(candidate);
  }

  #line(factory: object, share: number | undefined): Line<T> {
    const key = share === undefined ? undefined : factory;
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = { waiting: new Map(), max: share ?? Infinity, running: 0 };
      this.#lines.set(key, line);
    }
    return line;
  }

  #hasPermit(line: Line<T>): boolean {
    return this.#running < this.#max && line.running < line.max;
  }

  #permit(line: Line<T>): FreePermit {
    this.#running += 1;
    line.running += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#running -= 1;
      line.running -= 1;
      this.#admitNext();
    };
  }

  #admitNext(): void {
    let next: { readonly line: Line<T>; readonly candidate: T; readonly waiting: Waiting } | undefined;
    for (const line of this.#lines.values()) {
      if (!this.#hasPermit(line)) continue;
      for (const [candidate, waiting] of line.waiting) {
        if (next === undefined || waiting.order < next.waiting.order) next = { line, candidate, waiting };
        break;
      }
    }
    if (next === undefined) return;
    next.line.waiting.delete(next.candidate);
    next.waiting.admit(this.#permit(next.line));
  }
}
