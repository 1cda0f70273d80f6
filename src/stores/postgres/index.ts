/**
 * Connections and claims in PostgreSQL, through any client with `query(text, values)`.
 *
 * @module hydrant/postgres
 */

export type { Draft, Fields, StoredRecord } from '../drafts.js';
export type { PostgresClient, PostgresListenClient } from './client.js';
export type { MigrationSql, SchemaFinding } from './migration.js';
export type { PostgresColumns, PostgresStoreOptions, PostgresVersions } from './options.js';
export type { WatchTuning } from '../subscribing.js';
export { PostgresStore, type MigrationOptions } from './store.js';
export { PostgresClaims, type PostgresClaimsOptions } from './claims.js';
export {
  drizzleClient,
  knexClient,
  kyselyClient,
  pgPromiseClient,
  postgresJsClient,
  postgresJsListenClient,
  prismaClient,
  sequelizeClient,
  typeormClient,
  type KnexInstance,
  type KyselyDatabase,
  type KyselyStatement,
  type PostgresJsListener,
  type PostgresJsSql,
  type TypeormDataSource,
} from './clients.js';
