import type { Awaitable } from '../contracts/record.js';
import { ConnectionError } from '../errors.js';
import type { Lease } from '../slot/lease.js';
import type { Validity } from './validity.js';

/**
 * One replica's time as the owner of one connection, given to `run`. It ends when its `signal` aborts. `run` then stops
 * its loop and returns. Only then is the claim released, unless it has already expired.
 */
export interface Tenure<out R, out I> {
  readonly id: string;
  /** The row that the instance was created from. An edit of the row ends the tenure and begins another. */
  readonly record: R;
  /**
   * The fencing token. It rises with every change of owner. A receiver that remembers the highest token and refuses
   * lower ones is safe even from bytes that a paused process had already sent.
   */
  readonly token: bigint;
  /**
   * Aborts when this replica should stop. `reason` is a `ConnectionError` `CLAIM_LOST` if the claim was lost or can no
   * longer be proven. It is an `AbortError` if the record was edited, the connection goes to another replica, or the
   * runner stops. In a process that was paused it aborts as soon as the event loop runs.
   */
  readonly signal: AbortSignal;
  /**
   * Runs `work` with the live instance if the claim is held. The tenure does not end before `work` has settled.
   *
   * @throws ConnectionError `CLAIM_LOST`
   */
  use<T>(work: (instance: I) => Awaitable<T>): Promise<T>;
  /**
   * Call it right before every effect that only the owner may have, with nothing awaited in between.
   *
   * @throws ConnectionError `CLAIM_LOST` once the local deadline has passed, even if no timer has fired yet
   */
  assertHeld(): void;
  /**
   * Adds a clean-up, to be called in `run`. Clean-ups run last first, after `run` has settled and the instance's lease is
   * released, and the claim is kept until they have settled: `onEnd(() => registry.invalidate(id))` disposes of the
   * instance before another replica becomes the owner. They count as part of `run`, also for `stopTimeoutMs`.
   *
   * @throws ConnectionError `CLAIM_LOST` once the tenure is over
   */
  onEnd(cleanUp: () => Awaitable<unknown>): void;
}

/** The second argument of `provision`. */
export interface ProvisionContext<out I> {
  /** The fencing token of the replica that provisions. */
  readonly token: bigint;
  /** Aborts when the claim is lost, the runner stops, or `provisionTimeoutMs` has passed. */
  readonly signal: AbortSignal;
  readonly instance: I;
  /** @throws ConnectionError `CLAIM_LOST` */
  assertHeld(): void;
}

/** Makes the error for a claim that is no longer held. */
export function claimLost(id: string): ConnectionError<'CLAIM_LOST'> {
  return new ConnectionError('CLAIM_LOST', 'This replica no longer owns the connection', { connectionId: id });
}

/** A tenure over a lease and a claim. */
export class LiveTenure<R, I> implements Tenure<R, I> {
  readonly id: string;
  readonly signal: AbortSignal;
  readonly #lease: Lease<R, I>;
  readonly #validity: Validity;
  readonly #expired: () => void;
  #uses = 0;
  #idle: (() => void) | undefined;
  #over = false;
  readonly #cleanUps: (() => Awaitable<unknown>)[] = [];

  /** @param expired - called when `assertHeld` notices the deadline before any timer did */
  constructor(id: string, lease: Lease<R, I>, validity: Validity, signal: AbortSignal, expired: () => void) {
    this.id = id;
    this.#lease = lease;
    this.#validity = validity;
    this.signal = signal;
    this.#expired = expired;
  }

  get record(): R {
    return this.#lease.record;
  }

  get token(): bigint {
    return this.#validity.token;
  }

  assertHeld = (): void => {
    if (!this.#over && this.#validity.held) return;
    if (!this.#over) this.#expired();
    throw claimLost(this.id);
  };

  use = async <T>(work: (instance: I) => Awaitable<T>): Promise<T> => {
    this.assertHeld();
    this.#uses += 1;
    try {
      return await work(this.#lease.instance);
    } finally {
      this.#uses -= 1;
      this.#idle?.();
    }
  };

  onEnd = (cleanUp: () => Awaitable<unknown>): void => {
    if (this.#over) throw claimLost(this.id);
    this.#cleanUps.push(cleanUp);
  };

  /** Runs every clean-up, also after one that throws, and returns what they have thrown. */
  async cleanUp(): Promise<readonly unknown[]> {
    const errors: unknown[] = [];
    for (let cleanUp = this.#cleanUps.pop(); cleanUp !== undefined; cleanUp = this.#cleanUps.pop()) {
      try {
        await cleanUp();
      } catch (error) {
        errors.push(error);
      }
    }
    return errors;
  }

  /** Waits for uses that `run` left behind, then ends the tenure for good: a tenure kept in a closure is dead. */
  async close(): Promise<void> {
    while (this.#uses > 0) await new Promise<void>((resolve) => { this.#idle = resolve; });
    this.#over = true;
  }
}
