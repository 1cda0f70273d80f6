import type { Clock } from '../clock.js';
import type { HydrationContext, InstanceFactory } from '../contracts/factory.js';
import type { Awaitable, ConnectionRecord } from '../contracts/record.js';
import type { RegistryEvents } from '../events.js';
import type { Slots } from '../slot/slots.js';
import type { Backoff } from './backoff.js';

/** What the hydrator needs to know of the registry it belongs to. */
export interface HydratorHost<R extends ConnectionRecord, I> {
  readonly clock: Clock;
  readonly slots: Slots<R, I>;
  readonly backoff: Backoff;
  readonly limits: {
    readonly maxConcurrentHydrations: number;
    readonly maxQueuedHydrations: number;
    readonly hydrationTimeoutMs: number;
    readonly keepLastGood: boolean;
  };
  factoryOf(record: R): InstanceFactory<R, I>;
  replacementOf(record: R): 'overlap' | 'drain-first';
  secretsOf(record: R): Awaitable<unknown>;
  create(record: R, context: HydrationContext): Awaitable<I>;
  emit<E extends keyof RegistryEvents>(event: E, payload: RegistryEvents[E]): void;
}
