import type { Clock } from '../clock.js';
import type { Awaitable, ConnectionRecord } from '../contracts/record.js';
import type { Connections } from '../connections.js';
import type { Lease } from '../slot/lease.js';
import type { Hold } from './hold.js';
import { LiveTenure, type Tenure } from './tenure.js';

/** What `provision` is given besides the record. */
export interface ProvisionContext<out I> {
  /** The fencing token of the replica that provisions. */
  readonly token: bigint;
  /** Aborts when the claim is lost, the runner stops, or `provisionTimeoutMs` has passed. */
  readonly signal: AbortSignal;
  readonly instance: I;
  /** @throws ConnectionError `CLAIM_LOST` */
  assertHeld(): void;
}

/** What an owner does with a connection. */
export interface Duties<R, I> {
  readonly run: ((tenure: Tenure<R, I>) => Awaitable<void>) | undefined;
  readonly provision: ((record: R, context: ProvisionContext<I>) => Awaitable<void>) | undefined;
}

/** What an attempt needs to know, and whom it tells. */
export interface AttemptHost<R extends ConnectionRecord, I> {
  readonly id: string;
  readonly hold: Hold;
  readonly clock: Clock;
  readonly registry: Pick<Connections<R, I>, 'acquire'>;
  readonly duties: Duties<R, I>;
  readonly provisionTimeoutMs: number;
  /** The version that somebody has provisioned already. */
  readonly provisioned: string | undefined;
  /** The record is known. */
  hydrated(version: string): void;
  provisionedNow(version: string): void;
  /** `provision` has had its time. */
  provisionOverdue(): void;
  /** Everything has been prepared; `run` is called next. */
  started(version: string): void;
  /** The start is over, well or badly: others may start. Called once. */
  through(): void;
  /** The local deadline was found to have passed. */
  expired(): void;
}

/** How an attempt ended. */
export interface Outcome {
  readonly error: unknown;
  /** `undefined` when it failed before the record was known. */
  readonly version: string | undefined;
}

/**
 * One attempt to serve as the owner: lease → provision → run. `settled` never rejects, and resolves only when nothing
 * of the attempt goes on any more: `run` and `provision` have settled, every `tenure.use` has, and the lease is back.
 */
export class Attempt<R extends ConnectionRecord, I> {
  readonly settled: Promise<Outcome>;
  readonly #host: AttemptHost<R, I>;
  readonly #end = new AbortController();
  #lease: Lease<R, I> | undefined;
  #isThrough = false;

  constructor(host: AttemptHost<R, I>) {
    this.#host = host;
    this.settled = this.#carryOut();
  }

  /** Asks it to stop. */
  end(reason: unknown): void {
    this.#end.abort(reason);
  }

  /** The record was edited, stopped or deleted, or the instance died, as far as the registry knows. */
  get stale(): boolean {
    return this.#lease?.stale === true;
  }

  async #carryOut(): Promise<Outcome> {
    const host = this.#host;
    const { run, provision } = host.duties;
    const { signal } = this.#end;
    let version: string | undefined;
    try {
      // Strict: a restart because of an edit must not be handed the instance that the edit superseded.
      const lease = this.#lease = await host.registry.acquire(host.id, { signal, freshness: 'strict' });
      version = String(lease.record.version);
      host.hydrated(version);
      signal.throwIfAborted();
      if (provision !== undefined && host.provisioned !== version) await this.#provision(lease, version, provision);
      // Who was told that it is provisioned may have ended the attempt.
      signal.throwIfAborted();
      this.#through();
      host.started(version);
      await (run === undefined ? this.#standBy() : this.#run(lease, run));
      return { error: undefined, version };
    } catch (error) {
      return { error, version };
    } finally {
      this.#through();
      this.#letGo();
    }
  }

  async #run(lease: Lease<R, I>, run: NonNullable<Duties<R, I>['run']>): Promise<void> {
    const { id, hold } = this.#host;
    const tenure = new LiveTenure(id, lease, hold, this.#end.signal, () => this.#host.expired());
    try {
      await run(tenure);
    } finally {
      await tenure.close();
    }
  }

  /** Nothing to run: the claim alone is kept, and the instance may become idle. */
  async #standBy(): Promise<void> {
    const { signal } = this.#end;
    // Listened to first, for what the release sets off may end the attempt.
    const aborted = new Promise((resolve) => { signal.addEventListener('abort', resolve); });
    this.#letGo();
    await aborted;
  }

  async #provision(lease: Lease<R, I>, version: string, provision: NonNullable<Duties<R, I>['provision']>): Promise<void> {
    const { id, hold, clock, provisionTimeoutMs } = this.#host;
    const { signal } = this.#end;
    const tenure = new LiveTenure(id, lease, hold, signal, () => this.#host.expired());
    const cancel = clock.setTimeout(() => {
      // Others may start although this one may never end.
      this.#through();
      this.#host.provisionOverdue();
    }, provisionTimeoutMs, { ref: true });
    try {
      await provision(lease.record, { token: hold.token, signal, instance: lease.instance, assertHeld: tenure.assertHeld });
    } finally {
      cancel();
      await tenure.close();
    }
    // It may have returned because of the signal: done is only what was done in time.
    signal.throwIfAborted();
    this.#host.provisionedNow(version);
  }

  #letGo(): void {
    const lease = this.#lease;
    this.#lease = undefined;
    lease?.release();
  }

  #through(): void {
    if (this.#isThrough) return;
    this.#isThrough = true;
    this.#host.through();
  }
}
