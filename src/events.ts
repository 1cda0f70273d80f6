import type { DisposeReason } from './contracts/factory.js';
import { BoundedMap } from './bounded.js';
import type { ConnectionError, ConnectionErrorCode } from './errors.js';
import { checkListening } from './options.js';

/** What a registry tells its listeners. Payloads never hold record contents. Versions are strings. */
export interface RegistryEvents {
  /** An instance came to life, after `afterFailures` failed attempts at this version. */
  hydrated: { id: string; version: string; durationMs: number; afterFailures: number };
  /** A hydrate failed; uses fail with `BACKING_OFF` for `retryAfterMs`. */
  hydrationFailed: { id: string; version: string; error: ConnectionError; failures: number; retryAfterMs: number };
  /** An instance is gone. `abandonedLeases` is not 0 when a drain deadline passed with leases still held. */
  disposed: { id: string; version: string; reason: DisposeReason; abandonedLeases: number };
  /** `dispose` or a clean-up threw, or took longer than `disposeTimeoutMs`. */
  disposeFailed: { id: string; version: string; error: unknown };
  /** An instance was reported dead, by itself or by a lease. */
  retired: { id: string; version: string; cause: unknown };
  /** A webhook was answered with a failure, or failed after it had been acknowledged. */
  webhookFailed: { id: string; error: ConnectionError; acknowledged: boolean };
  /** A read of the store failed or timed out, or a subscription could not be made. */
  storeFailed: { error: unknown };
  /** More instances were evicted in a minute than fit: `maxInstances` is too small for the traffic. */
  thrashing: { maxInstances: number; evictionsPerMinute: number };
}

const EVENTS: Readonly<Record<keyof RegistryEvents, true>> = {
  hydrated: true, hydrationFailed: true, disposed: true, disposeFailed: true, retired: true, webhookFailed: true, storeFailed: true,
  thrashing: true,
};

/** What the console is told where nobody listens. */
const FAILURES: ReadonlySet<keyof RegistryEvents> = new Set(['hydrationFailed', 'disposeFailed', 'webhookFailed', 'storeFailed'] as const);

type Listener<E extends keyof RegistryEvents> = (payload: RegistryEvents[E]) => void;

/** Failures that were written to the console already, so that each is written once. */
const MAX_WRITTEN = 1_000;

/** Webhook failures that are the gateway's own and that no other event tells of. */
const WRITTEN_WEBHOOK_FAILURES: ReadonlySet<ConnectionErrorCode> = new Set<ConnectionErrorCode>([
  'HANDLER_FAILED', 'BODY_ALREADY_PARSED', 'INVALID_RECORD',
]);

/** The listeners of a registry. */
export class Events {
  readonly #listeners = new Map<keyof RegistryEvents, Set<Listener<never>>>();
  readonly #written = new BoundedMap<true>(MAX_WRITTEN);

  /** @throws ConnectionError `INVALID_OPTIONS` for an event there is not, which would never be heard of */
  on<E extends keyof RegistryEvents>(event: E, listener: Listener<E>): () => void {
    checkListening(EVENTS, event, listener);
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    // A wrapper of its own, so that the same function may listen twice and be taken off once.
    const own: Listener<E> = (payload) => listener(payload);
    listeners.add(own);
    return () => void listeners.delete(own);
  }

  /** Whether anything comes of it: events that nobody listens to need not be made, except the failures, which are written. */
  isHeard(event: keyof RegistryEvents): boolean {
    return FAILURES.has(event) || (this.#listeners.get(event)?.size ?? 0) > 0;
  }

  /** A listener that throws harms nobody: neither the registry nor the other listeners. */
  emit<E extends keyof RegistryEvents>(event: E, payload: RegistryEvents[E]): void {
    const listeners = this.#listeners.get(event);
    if (listeners === undefined || listeners.size === 0) {
      this.#write(event, payload);
      return;
    }
    for (const listener of [...listeners] as Listener<E>[]) {
      try {
        const result: unknown = listener(payload);
        if (result instanceof Promise) result.catch((error: unknown) => this.#listenerFailed(event, error));
      } catch (error) {
        this.#listenerFailed(event, error);
      }
    }
  }

  #listenerFailed(event: string, error: unknown): void {
    console.error(`hydrant: a listener of '${event}' failed`, error);
  }

  /** A failure nobody listens to must not pass unseen. */
  #write<E extends keyof RegistryEvents>(event: E, payload: RegistryEvents[E]): void {
    if (!('error' in payload)) return;
    const { error } = payload;
    if (event === 'webhookFailed' && !WRITTEN_WEBHOOK_FAILURES.has((error as ConnectionError).code)) return;
    const id = 'id' in payload ? payload.id : '';
    const version = 'version' in payload ? payload.version : '';
    const key = [event, id, version].join('\u0000');
    if (this.#written.get(key) !== undefined) return;
    this.#written.set(key, true);
    console.error(`hydrant: ${event}${id === '' ? '' : ` for connection '${id}'`}`, error);
  }
}
