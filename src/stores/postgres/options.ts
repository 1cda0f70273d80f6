import type { Clock } from '../../clock.js';
import type { ConnectionStatus } from '../../contracts/record.js';
import type { Draft, Fields } from '../drafts.js';
import type { WatchTuning } from '../subscribing.js';
import type { PostgresClient, PostgresListenClient } from './client.js';

/** Names of columns, exactly as they are stored, in upper and lower case. */
export interface PostgresColumns {
  /** Default `id`. Unique among the rows that `where` lets through. */
  readonly id?: string;
  /** The store's own table only: the column that PostgreSQL computes from the others. Default `version`. */
  readonly version?: string;
  /** Default `status`. Not read when `stopped` is given. */
  readonly status?: string;
  /**
   * Mapped tables only: everything that `mapRow` reads, as column names or SQL expressions such as `config - 'lastError'`.
   * A change of one of them changes the version. Leave out bookkeeping (last error, last seen), because a new version
   * costs a new hydrate. Default: all columns but the status.
   */
  readonly config?: readonly string[];
}

/**
 * The source of a mapped table's versions. All three notice every edit, stop and delete.
 *
 * - `'table'`: a hash of configuration and status, plus a counter per touched row in a table of hydrant's own, so `touch`
 *   works. `migrate()` makes that table, and the triggers for hints.
 * - `'hash'`: the hash alone. Needs the right to read and no migration.
 * - `{ column }`: a column that your application changes with every change of the configuration. hydrant trusts it.
 */
export type PostgresVersions = 'table' | 'hash' | { readonly column: string };

/** Options of a {@link PostgresStore}. SQL fragments are yours: never build them from input. */
export interface PostgresStoreOptions<D extends object> {
  /** A `pg` Pool, PGlite, or anything else with `query(text, values)`. It must reach the primary. */
  readonly client: PostgresClient;
  /**
   * The longest time for a query, in milliseconds. Then it fails with `STORE_UNAVAILABLE`, and a `pg` Pool's connection is
   * closed, so a connection that no longer answers is replaced. Migrations may take longer. Default 10 000.
   */
  readonly queryTimeoutMs?: number;
  /** `table` or `schema.table`, exactly as stored. Default `hydrant_connections`. */
  readonly table?: string;
  readonly columns?: PostgresColumns;
  /** A SQL condition on a row's columns: other rows do not exist for this store. For example `deleted_at is null`. */
  readonly where?: string;
  /**
   * A SQL condition on a row's columns that is true for a stopped row. Default: the status column is `'stopped'`. Give
   * `'false'` for a table without a status. It may depend on the time and on other tables, because every read evaluates it.
   */
  readonly stopped?: string;
  /** Mapped tables only. Default `'table'`. */
  readonly versions?: PostgresVersions;
  /** The schema of hydrant's own objects for a mapped table. Default `hydrant`. */
  readonly schema?: string;
  /** The type of a mapped table's id column. An id of another form is unknown, not an error. Default: looked up. */
  readonly idType?: 'text' | 'uuid' | 'bigint';
  /**
   * Maps a row of an existing table, with all its columns, to a record's own fields. hydrant adds id, version and status. If
   * it throws, this row alone is `INVALID_RECORD`. It may read only the columns that `columns.config` names.
   */
  readonly mapRow?: (row: Readonly<Record<string, unknown>>) => D | Fields<D>;
  /**
   * Maps a record to the columns of its row. Used by `put` on a mapped table. Pass arrays for a `jsonb` column through
   * `JSON.stringify`, because drivers make SQL arrays of them. hydrant adds the id, and the status if there is a status
   * column.
   */
  readonly toRow?: (record: Draft<D> & { readonly status: ConnectionStatus }) => Readonly<Record<string, unknown>>;
  /** SQL that `delete` sets instead of deleting, such as `deleted_at = now()`. `delete` needs it if there is a `where`. */
  readonly softDelete?: string;
  /**
   * Whether the migration adds the triggers that send hints. Default true, and false with `versions: 'hash'` or a column.
   * PostgreSQL refuses NOTIFY in prepared transactions (two-phase commit): set false if your application uses those.
   */
  readonly notify?: boolean;
  /** The NOTIFY channel. Default: derived from the table's name. */
  readonly channel?: string;
  /**
   * Makes a connection of its own for LISTEN, not connected yet: `() => new pg.Client(...)`. Without it there is no
   * `watch`, and everything works through a pooler in transaction mode.
   */
  readonly listenClient?: () => PostgresListenClient | Promise<PostgresListenClient>;
  readonly watch?: WatchTuning;
  /** Called when a subscription was lost or could not be made again. hydrant goes on trying. Default: none. */
  readonly onWatchError?: (error: unknown) => void;
  /** The source of time for `watch` and time-outs. Default: the system's. */
  readonly clock?: Clock;
}
