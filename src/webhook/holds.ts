import type { Environment } from '../environment.js';
import type { BodyEnd } from '../messages/response-body.js';
import { within } from '../within.js';

/** Counts the users of a lease: the handler, its response's body, its `waitUntil` work. The last one releases it. */
export class Holds {
  #count = 1;
  readonly #release: () => void;

  constructor(release: () => void) {
    this.#release = release;
  }

  /** Adds a user. Returns the function that ends its use; further calls do nothing. */
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

/** Lets go of a lease when a body has ended. The source of a body that is cancelled may use the instance until then. */
export function bodyEnd(release: () => void, { clock, options: { disposeTimeoutMs } }: Environment<any, any>): BodyEnd {
  let hasEnded = false;
  return (cancelling) => {
    if (hasEnded) return;
    hasEnded = true;
    if (cancelling === undefined) release();
    else void within(clock, disposeTimeoutMs, cancelling, () => {}).then(release, release);
  };
}
