import { BoundedMap } from '../bounded.js';
import type { Clock } from '../clock.js';

/** Unknown ids remembered at a time. */
const MAX_REMEMBERED = 10_000;

/** Remembers ids that the store did not find a moment ago, so that repeated webhooks for them cost no read. */
export class UnknownIds {
  readonly #clock: Clock;
  /** When each entry expires. Monotonic, milliseconds. */
  readonly #until = new BoundedMap<number>(MAX_REMEMBERED);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  has(id: string): boolean {
    const until = this.#until.get(id);
    return until !== undefined && this.#clock.monotonic() < until;
  }

  add(id: string, until: number): void {
    this.#until.set(id, until);
  }

  forget(id: string): void {
    this.#until.delete(id);
  }

  forgetAll(): void {
    this.#until.clear();
  }
}
