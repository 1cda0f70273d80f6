import type { DisposeReason } from './contracts/factory.js';
import type { ConnectionError } from './errors.js';

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
