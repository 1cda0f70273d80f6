/**
 * Ends a script cleanly: undoes its steps in the opposite order, on success, failure and signals alike.
 */
export class Ends {
  #ends = /** @type {(() => Promise<unknown>)[]} */ ([]);
  #ending = false;
  #interrupted = new AbortController();

  /** Aborts as soon as the end begins. */
  get signal() {
    return this.#interrupted.signal;
  }

  /** @param {() => Promise<unknown>} undo */
  add(undo) {
    this.#ends.push(undo);
  }

  /** Ends on a failure that nobody catches, and on the signals that a terminal or a supervisor sends. */
  watchProcess() {
    /** @param {unknown} error */
    const fail = (error) => {
      if (this.#ending) return; // steps under way fail because they are being ended
      console.error(error);
      void this.run(1);
    };
    process.on('uncaughtException', fail);
    process.on('unhandledRejection', fail);
    for (const [signal, number] of /** @type {const} */ ([['SIGHUP', 1], ['SIGINT', 2], ['SIGTERM', 15]])) {
      process.on(signal, () => void this.run(128 + number));
    }
  }

  /**
   * Undoes everything, and exits.
   * @param {number} code
   */
  async run(code) {
    if (this.#ending) return;
    this.#ending = true;
    this.#interrupted.abort();
    for (let undo = this.#ends.pop(); undo !== undefined; undo = this.#ends.pop()) {
      await undo().catch((error) => console.error(error));
    }
    process.exit(code);
  }
}
