/**
 * The registry. It hydrates connections, shares their instances, replaces an instance when its row changes, and disposes of
 * idle ones. Imports nothing from Node.
 *
 * @module hydrant
 */

export { ConnectionRegistry } from './registry.js';
export { ConnectionError, isConnectionError } from './errors.js';
export { factoryByPlatform } from './factory-by-platform.js';
export { MemoryStore } from './stores/memory.js';
export { tableStore } from './stores/table.js';
export { systemClock } from './clock.js';

export type { AcquireOptions, Connections } from './connections.js';
export type { Around, ConnectionRegistryOptions, Freshness, RegistryTuning, SchemaRegistryOptions } from './contracts/options.js';
export type { CloseReport } from './closing.js';
export type { ConnectionSnapshot, ReadCounts, RegistryLimits, RegistrySnapshot } from './snapshot.js';
export type { Lease } from './slot/lease.js';
export type { Clock } from './clock.js';
export type { ConnectionErrorCode, ConnectionErrorDetails } from './errors.js';
export type { RegistryEvents } from './events.js';
export type { Awaitable, ConnectionRecord, ConnectionStatus, Version } from './contracts/record.js';
export type { StandardSchemaV1 } from './contracts/schema.js';
export type { ConnectionStore, StoreListener, StoreReadOptions } from './contracts/store.js';
export type {
  DisposeReason, FailureContext, HydrationContext, InstanceFactory, RecordContext, WebhookContext,
} from './contracts/factory.js';
export type { TableStore } from './stores/table.js';
export type { TableRecord, TableStoreOptions } from './stores/table-options.js';
export type { InstanceOf, RecordOf } from './factory-by-platform.js';
export type { WebhookHandler } from './webhook/handle-webhook.js';
export type { WebhookPlatform } from './webhook/host.js';
