import type { Awaitable } from '../contracts/record.js';
import { ConnectionError } from '../errors.js';
import type { Lease } from '../slot/lease.js';
import type { Hold } from './hold.js';

/**
 * One replica's time as the owner of one connection: what `run` is given. It ends when its `signal` aborts; `run`
 * then stops its loop and returns, and only then does another replica get the connection, unless the claim has
 * already run out.
 */
export interface Tenure<out R, out I> {
  readonly id: string;
  /** The row the instance was built from. An edited row ends the tenure and begins another. */
  readonly record: R;
  /**
   * The fencing token: it rises with every change of owner. Whatever remembers the highest token it has seen and
   * refuses lower ones is safe even from bytes that a paused process had already sent.
   */
  readonly token: bigint;
  /**
   * Aborts when this replica should stop: its claim was lost or can no longer be proven (`reason` is a
   * `ConnectionError` `CLAIM_LOST`), the record was edited, the connection goes to another replica, or the runner
   * stops (`reason` is an `AbortError`). A process that was paused hears of it as soon as its event loop runs.
   */
  readonly signal: AbortSignal;
  /**
   * Runs `work` with the live instance, if the claim is held. The tenure is not over before `work` has settled.
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
}

/** The error that says so. */
export function claimLost(id: string): ConnectionError<'CLAIM_LOST'> {
  return new ConnectionError('CLAIM_LOST', 'This replica does not own the connection any more', { connectionId: id });
}

/** A tenure over a lease and a hold. */
export class LiveTenure<R, I> implements Tenure<R, I> {
  readonly id: string;
  readonly signal: AbortSignal;
  readonly #lease: Lease<R, I>;
  readonly #hold: Hold;
  readonly #expired: () => void;
  #uses = 0;
  #idle: (() => void) | undefined;
  #over = false;

  /** @param expired - told when `assertHeld` finds the deadline passed before any timer did */
  constructor(id: string, lease: Lease<R, I>, hold: Hold, signal: AbortSignal, expired: () => void) {
    this.id = id;
    this.#lease = lease;
    this.#hold = hold;
    this.signal = signal;
    this.#expired = expired;
  }

  get record(): R {
    return this.#lease.record;
  }

  get token(): bigint {
    return this.#hold.token;
  }

  assertHeld = (): void => {
    if (!this.#over && this.#hold.held) return;
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

  /** Waits for the uses that `run` left behind, then ends the tenure for good: a tenure kept in a closure is dead. */
  async close(): Promise<void> {
    while (this.#uses > 0) await new Promise<void>((resolve) => { this.#idle = resolve; });
    this.#over = true;
  }
}
