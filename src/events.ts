import type { Clock } from './clock.js';
import type { Line } from './console-lines.js';
import type { DisposeReason } from './contracts/factory.js';
import type { ConnectionError, ConnectionErrorCode } from './errors.js';
import { Listeners } from './listeners.js';
import { checkListening } from './options.js';

/** The events of a registry and their payloads. Payloads never hold record contents. Versions are strings. */
export interface RegistryEvents {
  /** An instance is ready, after `afterFailures` failed attempts at this version. */
  hydrated: { id: string; version: string; durationMs: number; afterFailures: number };
  /**
   * A hydrate failed. Uses fail with `BACKING_OFF` for `retryAfterMs`. If that is `Infinity`, they fail with `error` until
   * the row has a new version.
   */
  hydrationFailed: { id: string; version: string; error: ConnectionError; failures: number; retryAfterMs: number };
  /** An instance was disposed of. `abandonedLeases` counts the leases still held when a drain deadline passed. */
  disposed: { id: string; version: string; reason: DisposeReason; abandonedLeases: number };
  /** `dispose` or a clean-up threw, or took longer than `disposeTimeoutMs`. */
  disposeFailed: { id: string; version: string; error: unknown };
  /** An instance was reported dead, by itself or by a lease. */
  retired: { id: string; version: string; cause: unknown };
  /** A webhook was answered with a failure, or it failed after it was acknowledged, or its `waitUntil` work failed. */
  webhookFailed: { id: string; error: ConnectionError; acknowledged: boolean };
  /** A read of the store failed or timed out, or a subscription could not be made. */
  storeFailed: { error: unknown };
  /** More than `maxInstances` instances were evicted in a minute: `maxInstances` is too small for the traffic. */
  thrashing: { maxInstances: number; evictionsPerMinute: number };
}

/** Every event, and whether it is written to the console when it has no listener. */
const EVENTS: Readonly<Record<keyof RegistryEvents, boolean>> = {
  hydrated: false,
  hydrationFailed: true,
  disposed: false,
  disposeFailed: true,
  retired: false,
  webhookFailed: true,
  storeFailed: true,
  thrashing: false,
};

/** Webhook failures that are the gateway's own, and that no other event reports. */
const WRITTEN_WEBHOOK_FAILURES: ReadonlySet<ConnectionErrorCode> = new Set<ConnectionErrorCode>([
  'HANDLER_FAILED', 'BODY_ALREADY_PARSED', 'INVALID_RECORD',
]);

/** The listeners of a registry. */
export class Events {
  readonly #listeners: Listeners<RegistryEvents>;

  constructor(clock: Clock) {
    this.#listeners = new Listeners<RegistryEvents>(lineOf, clock);
  }

  /** @throws ConnectionError `INVALID_OPTIONS` for an unknown event */
  on<E extends keyof RegistryEvents>(event: E, listener: (payload: RegistryEvents[E]) => void): () => void {
    checkListening(EVENTS, event, listener);
    return this.#listeners.on(event, listener);
  }

  /** Whether an event must be made: it has a listener, or it is a failure, which is then written to the console. */
  isHeard(event: keyof RegistryEvents): boolean {
    return EVENTS[event] || this.#listeners.has(event);
  }

  emit<E extends keyof RegistryEvents>(event: E, payload: RegistryEvents[E]): void {
    this.#listeners.emit(event, payload);
  }
}

/** A failure is written once per connection and version, where it has them: one of the store once per process. */
function lineOf<E extends keyof RegistryEvents>(event: E, payload: RegistryEvents[E]): Line | undefined {
  if (!('error' in payload)) return undefined;
  const { error } = payload;
  if (event === 'webhookFailed' && !WRITTEN_WEBHOOK_FAILURES.has((error as ConnectionError).code)) return undefined;
  const id = 'id' in payload ? payload.id : '';
  const version = 'version' in payload ? payload.version : '';
  // A failed webhook has no version. Its code tells one failure from another.
  const kind = event === 'webhookFailed' ? (error as ConnectionError).code : '';
  return {
    key: [event, id, version, kind].join('\u0000'),
    text: `hydrant: ${event}${id === '' ? '' : ` for connection '${id}'`}`,
    error,
  };
}
