export type { PostgresClient, PostgresListenClient } from './client.js';
export type { MigrationSql } from './migration.js';
export type { PostgresColumns, PostgresDraft, PostgresRecord, PostgresStoreOptions, PostgresWatchTuning } from './options.js';
export { PostgresStore } from './store.js';
export { PostgresClaims, type PostgresClaimsOptions } from './claims.js';
