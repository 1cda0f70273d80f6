interface Entry { readonly begin: () => void; cancelled: boolean }

/** Lets a few starts through at a time, first come first served. */
export class StartGate {
  readonly #max: number;
  readonly #queue = new Set<Entry>();
  #inside = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Calls `begin` as soon as there is room, never before this returns. Whoever was let in calls `leave` once. Returns
   * what gives the place up, to be called only before `begin` has been.
   */
  enter(begin: () => void): () => void {
    const entry: Entry = { begin, cancelled: false };
    this.#queue.add(entry);
    this.#admit();
    return () => {
      entry.cancelled = true;
      this.#queue.delete(entry);
    };
  }

  leave(): void {
    this.#inside -= 1;
    this.#admit();
  }

  #admit(): void {
    const [entry] = this.#queue;
    if (entry === undefined || this.#inside >= this.#max) return;
    this.#queue.delete(entry);
    this.#inside += 1;
    queueMicrotask(() => {
      if (entry.cancelled) this.leave();
      else entry.begin();
    });
  }
}
