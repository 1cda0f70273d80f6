/** Counts who still needs a lease: the handler, its response's body, its `waitUntil` work. The last one lets it go. */
export class Holds {
  #count = 1;
  readonly #release: () => void;

  constructor(release: () => void) {
    this.#release = release;
  }

  /** One more; what is returned lets go, once. */
  take(): () => void {
    this.#count += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.close();
    };
  }

  /** The handler has returned. */
  close(): void {
    this.#count -= 1;
    if (this.#count === 0) this.#release();
  }
}
