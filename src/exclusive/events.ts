import { BoundedMap } from '../bounded.js';

/**
 * Why a tenure ended.
 *
 * - `lost`: the store says that the claim is another's, or has expired
 * - `expired`: the claim could not be proven in time (store unreachable, process paused, wall clock jumped)
 * - `handedOver`: to even out the replicas' shares
 * - `failed`: handed over after too many failed starts, or given up after it did not stop in time
 * - `unlisted`: `list` does not name the connection any more
 * - `stopped`: the runner was stopped
 */
export type TenureEnd = 'lost' | 'expired' | 'handedOver' | 'failed' | 'unlisted' | 'stopped';

/** What a runner tells its listeners. Payloads never hold record contents. Versions are strings. */
export interface RunnerEvents {
  /** A connection is prepared, and `run` is about to be called. */
  started: { id: string; token: bigint; version: string };
  /** Nothing of this replica's ownership goes on any more. An edited record starts again without this event. */
  ended: { id: string; token: bigint; reason: TenureEnd };
  /** An attempt failed to start, or `run` ended by itself. The next one follows after `retryAfterMs`, here or elsewhere. */
  startFailed: { id: string; version: string | undefined; error: unknown; failures: number; retryAfterMs: number; handedOver: boolean };
  /** `provision` has succeeded for this version. */
  provisioned: { id: string; token: bigint; version: string };
  /** `run` did not settle within `stopTimeoutMs`: the claim is not released, it runs out by itself. */
  stopUnproven: { id: string; token: bigint };
  /** A call to the claim store failed, or was not answered in time. */
  claimsFailed: { call: 'renew' | 'claim' | 'release' | 'watch'; error: unknown };
  /** `list` failed, or was not answered in time: the last listing stays in force. */
  listFailed: { error: unknown };
}

type Listener<E extends keyof RunnerEvents> = (payload: RunnerEvents[E]) => void;

/** Failures that were written to the console already, so that each is written once. */
const MAX_WRITTEN = 1_000;

/** The listeners of a runner. */
export class RunnerListeners {
  readonly #listeners = new Map<keyof RunnerEvents, Set<Listener<never>>>();
  readonly #written = new BoundedMap<true>(MAX_WRITTEN);

  on<E extends keyof RunnerEvents>(event: E, listener: Listener<E>): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    const own: Listener<E> = (payload) => listener(payload);
    listeners.add(own);
    return () => void listeners.delete(own);
  }

  /** A listener that throws harms nobody. */
  emit<E extends keyof RunnerEvents>(event: E, payload: RunnerEvents[E]): void {
    const listeners = this.#listeners.get(event);
    if (listeners === undefined || listeners.size === 0) return this.#write(event, payload);
    for (const listener of [...listeners] as Listener<E>[]) {
      try {
        const result: unknown = listener(payload);
        if (result instanceof Promise) result.catch((error: unknown) => this.#listenerFailed(event, error));
      } catch (error) {
        this.#listenerFailed(event, error);
      }
    }
  }

  /** A failure that nobody listens to is written, once per connection and version. */
  #write<E extends keyof RunnerEvents>(event: E, payload: RunnerEvents[E]): void {
    if (event !== 'startFailed' && event !== 'stopUnproven' && event !== 'claimsFailed' && event !== 'listFailed') return;
    const { id, version, call, error } = payload as { id?: string; version?: string | undefined; call?: string; error?: unknown };
    const key = [event, id, version, call].join('\u0000');
    if (this.#written.get(key) !== undefined) return;
    this.#written.set(key, true);
    console.error(`hydrant: ${event}${id === undefined ? '' : ` for connection '${id}'`}${call === undefined ? '' : ` (${call})`}`, ...(error === undefined ? [] : [error]));
  }

  #listenerFailed(event: string, error: unknown): void {
    console.error(`hydrant: a listener of '${event}' failed:`, error);
  }
}
