import type { ConnectionRecord } from '../contracts/record.js';
import { FURTHER_PER_TICK } from './candidates.js';
import type { RunnerEnvironment } from './environment.js';
import { MAX_NAMED, type Circle, type Homes } from './homes.js';

/**
 * A connection that no replica has taken for this many ticks is free for all, whatever the shares. In a large fleet it is
 * taken after one tick, because replicas with too few connections do not look into the homes of others.
 */
const ORPHAN_TICKS = 3;
/** For this many ticks after the fleet has changed, a replica looks through all of its home. */
const THOROUGH_TICKS = 3;

/** When a replica that has its share looks for orphans: connections that no replica takes. */
export class OrphanSearch<R extends ConnectionRecord, I> {
  readonly #environment: RunnerEnvironment<R, I>;
  readonly #homes: Homes<R, I>;
  #circle: Circle | undefined;
  #thoroughTicks = 0;
  /** Looks that are left in the search under way. */
  #looks = 0;
  #begunAt: number;

  constructor(environment: RunnerEnvironment<R, I>, homes: Homes<R, I>) {
    this.#environment = environment;
    this.#homes = homes;
    this.#begunAt = this.#now;
  }

  /** A tick has passed. */
  tick(): void {
    this.#thoroughTicks -= 1;
    if (this.#homes.allFit || this.#homes.circle === this.#circle) return;
    this.#circle = this.#homes.circle;
    this.#thoroughTicks = THOROUGH_TICKS;
  }

  /** How long a connection has been free when it counts as an orphan, in milliseconds. */
  get freeForMs(): number {
    return (this.#homes.allFit ? ORPHAN_TICKS : 1) * this.#environment.options.tickMs;
  }

  /** Whether to look now. */
  get due(): boolean {
    return this.underWay || this.#nextIsDue;
  }

  /** One query cannot name all of a large fleet's home. */
  get underWay(): boolean {
    return this.#looks > 0;
  }

  /** A query looks for orphans. */
  looked(): void {
    if (this.#nextIsDue) {
      this.#begunAt = this.#now;
      this.#looks = this.#thoroughTicks > 0 ? this.#looksAtWholeHome() : 1;
    }
    this.#looks -= 1;
  }

  get #nextIsDue(): boolean {
    return this.#now - this.#begunAt >= this.freeForMs;
  }

  get #now(): number {
    return this.#environment.clock.monotonic();
  }

  #looksAtWholeHome(): number {
    const home = this.#homes.circle.homeSize(this.#environment.roster.rank);
    return Math.min(FURTHER_PER_TICK, Math.ceil(home / MAX_NAMED));
  }
}
