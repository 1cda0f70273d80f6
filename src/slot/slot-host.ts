import type { Clock } from '../clock.js';
import type { Awaitable, ConnectionRecord } from '../contracts/record.js';
import type { RegistryEvents } from '../events.js';
import type { Slot } from './slot.js';
import type { Supersession } from './state.js';

/** What the slots need to know of the registry they belong to. */
export interface SlotHost<R extends ConnectionRecord, I> {
  readonly clock: Clock;
  /** The monotonic clock in whole milliseconds, rounded up, read at least once per turn of the event loop. */
  now(): number;
  readonly limits: {
    readonly maxInstances: number;
    readonly idleTimeoutMs: number;
    readonly eviction: 'lru' | 'sieve';
    readonly drainTimeoutMs: number;
    readonly disposeTimeoutMs: number;
  };
  dispose(instance: I, record: R, supersession: Supersession): Awaitable<void>;
  emit<E extends keyof RegistryEvents>(event: E, payload: RegistryEvents[E]): void;
  /** `inUse`: found dead by a lease, rather than reported by the instance. */
  retired(slot: Slot<R, I>, cause: unknown, inUse: boolean): void;
  /** Whether an accepted use is about to ask for this connection: only asked while closing. */
  isAwaited(id: string): boolean;
  /** A slot is no longer the current one of its connection. */
  unindexed(slot: Slot<R, I>): void;
  /** A slot is gone. */
  departed(slot: Slot<R, I>): void;
}
