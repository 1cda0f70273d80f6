import pLimit, { type LimitFunction } from 'p-limit';

/** Those who wait for a permit of one platform, in the order they came. */
interface Line<T> {
  readonly waiting: Set<T>;
  readonly limit: LimitFunction | undefined;
  readonly max: number;
  running: number;
  /** Turns asked of p-limit and not yet taken. Whoever is first in line takes one, so a leaver's turn is not lost. */
  turns: number;
}

/**
 * Permits to hydrate: so many for the registry, and for a platform that says so no more than its share. Who leaves the
 * line makes room in it at once, although p-limit keeps no order that can be left.
 */
export class Admission<T> {
  readonly #limit: LimitFunction;
  readonly #lines = new Map<object | undefined, Line<T>>();
  readonly #max: number;
  readonly #maxQueued: number;
  readonly #run: (candidate: T) => Promise<void> | undefined;
  #running = 0;

  /** @param run - what is done with a permit; it is free again when the promise settles, or at once without one */
  constructor(max: number, maxQueued: number, run: (candidate: T) => Promise<void> | undefined) {
    this.#limit = pLimit(max);
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
   * Whether one more would wait in a full queue. Each platform with a share of its own has a queue of its own: that of
   * one which is down stands in nobody's way.
   */
  isFull(platform: object, share: number | undefined): boolean {
    const line = this.#line(share === undefined ? undefined : platform, share);
    const waiting = line.waiting.size + 1;
    const starting = Math.min(waiting, line.max - line.running, this.#max - this.#running);
    return waiting - starting > this.#maxQueued;
  }

  /** @param share - at most this many of the permits for `platform` */
  enter(candidate: T, platform: object, share: number | undefined): void {
    const line = this.#line(share === undefined ? undefined : platform, share);
    line.waiting.add(candidate);
    if (line.turns >= line.waiting.size) return;
    line.turns += 1;
    const turn = (): Promise<void> => this.#limit(() => this.#next(line));
    void (line.limit === undefined ? turn() : line.limit(turn));
  }

  leave(candidate: T): void {
    for (const { waiting } of this.#lines.values()) waiting.delete(candidate);
  }

  #line(key: object | undefined, share: number = Infinity): Line<T> {
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = { waiting: new Set(), limit: share === Infinity ? undefined : pLimit(share), max: share, running: 0, turns: 0 };
      this.#lines.set(key, line);
    }
    return line;
  }

  async #next(line: Line<T>): Promise<void> {
    line.turns -= 1;
    const [candidate] = line.waiting;
    if (candidate === undefined) return;
    line.waiting.delete(candidate);
    this.#running += 1;
    line.running += 1;
    try {
      await this.#run(candidate);
    } finally {
      this.#running -= 1;
      line.running -= 1;
    }
  }
}
