import type { ConnectionRecord } from '../contracts/record.js';
import type { Lease } from '../slot/lease.js';
import type { RunnerEnvironment } from './environment.js';
import { LiveTenure } from './tenure.js';
import type { Validity } from './validity.js';

/** The connection that an attempt serves. */
export interface Attempted {
  readonly id: string;
  readonly validity: Validity;
  /** They have the version that was provisioned last, by any replica. */
  readonly notes: { readonly provisioned: string | undefined };
}

/** Learns how an attempt is getting on. */
export interface AttemptObserver {
  /** The record is known. */
  hydrated(version: string): void;
  provisioned(version: string): void;
  /** `provision` has not settled within `provisionTimeoutMs`. */
  provisionOverdue(): void;
  /** Everything is prepared, and `run` is called next. */
  started(version: string): void;
  /** The start is over, well or badly: another may begin. */
  startDone(): void;
  /** The local deadline has passed, and no timer has noticed yet. */
  expired(): void;
}

/** How an attempt ended. */
export interface Outcome {
  readonly error: unknown;
  /** `undefined` when it failed before the record was known. */
  readonly version: string | undefined;
}

/**
 * One attempt to serve as the owner: lease → provision → run. `settled` never rejects. It resolves when nothing of the
 * attempt is left: `run`, `provision`, every `tenure.use` and every clean-up has settled, and the lease is released.
 */
export class Attempt<R extends ConnectionRecord, I> {
  readonly settled: Promise<Outcome>;
  readonly #environment: RunnerEnvironment<R, I>;
  readonly #connection: Attempted;
  readonly #observer: AttemptObserver;
  readonly #end = new AbortController();
  #lease: Lease<R, I> | undefined;

  constructor(environment: RunnerEnvironment<R, I>, connection: Attempted, observer: AttemptObserver) {
    this.#environment = environment;
    this.#connection = connection;
    this.#observer = observer;
    this.settled = this.#carryOut();
  }

  /** Asks it to stop. */
  end(reason: unknown): void {
    this.#end.abort(reason);
  }

  /** The registry knows that the record was edited, stopped or deleted, or that the instance died. */
  get stale(): boolean {
    return this.#lease?.stale === true;
  }

  async #carryOut(): Promise<Outcome> {
    const { registry, run, provision } = this.#environment.options;
    const { id, notes: { provisioned } } = this.#connection;
    const { signal } = this.#end;
    let version: string | undefined;
    try {
      // Strict: a restart after an edit must not get the instance that the edit superseded.
      const lease = this.#lease = await registry.acquire(id, { signal, freshness: 'strict' });
      version = String(lease.record.version);
      this.#observer.hydrated(version);
      signal.throwIfAborted();
      if (provision !== undefined && provisioned !== version) await this.#provision(lease, version);
      // A listener of `provisioned` may have ended the attempt.
      signal.throwIfAborted();
      this.#observer.startDone();
      this.#observer.started(version);
      return { error: await (run === undefined ? this.#standBy() : this.#run(lease)), version };
    } catch (error) {
      return { error, version };
    } finally {
      this.#observer.startDone();
      this.#release();
    }
  }

  /** @returns why it failed, if it did */
  async #run(lease: Lease<R, I>): Promise<unknown> {
    const { inOwnContext, options } = this.#environment;
    const tenure = this.#tenure(lease);
    const errors: unknown[] = [];
    try {
      await inOwnContext(options.run!, tenure);
    } catch (error) {
      errors.push(error);
    }
    await tenure.close();
    this.#release();
    errors.push(...await inOwnContext(() => tenure.cleanUp()));
    // The first one may be the cause of the others.
    return errors[0];
  }

  /** Without `run` only the claim is kept, and the instance may become idle. */
  async #standBy(): Promise<void> {
    const { signal } = this.#end;
    // Listen first, because releasing the lease may end the attempt.
    const aborted = new Promise((resolve) => { signal.addEventListener('abort', resolve); });
    this.#release();
    await aborted;
  }

  async #provision(lease: Lease<R, I>, version: string): Promise<void> {
    const { inOwnContext, clock, options: { provision, provisionTimeoutMs } } = this.#environment;
    const { signal } = this.#end;
    const tenure = this.#tenure(lease);
    const cancel = clock.setTimeout(() => {
      // Another may start although this one may never end.
      this.#observer.startDone();
      this.#observer.provisionOverdue();
    }, provisionTimeoutMs, { ref: true });
    try {
      await inOwnContext(provision!, lease.record, {
        token: tenure.token,
        signal,
        instance: lease.instance,
        assertHeld: tenure.assertHeld,
      });
    } finally {
      cancel();
      await tenure.close();
    }
    // If the signal has aborted, `provision` may have returned early, so its work may not be done.
    signal.throwIfAborted();
    this.#observer.provisioned(version);
  }

  #tenure(lease: Lease<R, I>): LiveTenure<R, I> {
    const { id, validity } = this.#connection;
    return new LiveTenure(id, lease, validity, this.#end.signal, () => this.#observer.expired());
  }

  #release(): void {
    const lease = this.#lease;
    this.#lease = undefined;
    lease?.release();
  }
}
