import type { Clock } from '../../clock.js';
import type { ConnectionStatus } from '../../contracts/record.js';
import type { Draft, Fields } from '../drafts.js';
import type { PostgresClient, PostgresListenClient } from './client.js';

/** Names of columns, exactly as they are stored: case counts. */
export interface PostgresColumns {
  /** Default `id`. Unique among the rows that `where` lets through. */
  readonly id?: string;
  /** Default `version`, and `hydrant_version` on a mapped table. Set by the trigger alone. */
  readonly version?: string;
  /** Default `status`. Not looked at when `stopped` is given. */
  readonly status?: string;
  /**
   * Mapped tables only, and needed there by `migrate` and `migrationSql`: the columns whose change gives a row a new
   * version, so everything `mapRow` reads. Bookkeeping (last error, last seen) does not belong here, and neither do
   * generated columns, which are not computed yet when the trigger compares.
   */
  readonly config?: readonly string[];
}

/** How the LISTEN connection is kept alive. All optional, milliseconds. */
export interface PostgresWatchTuning {
  /** How often it is checked that notifications still arrive. Default 15 000. */
  readonly pingIntervalMs?: number;
  /** How long connecting, subscribing and each check may take. Default 5 000. */
  readonly timeoutMs?: number;
  /** Between attempts; doubles, with jitter between half and whole. Default 100 to 30 000. */
  readonly backoff?: { readonly initialMs: number; readonly maxMs: number };
}

/** Options of a {@link PostgresStore}. SQL fragments are yours: never build them from input. */
export interface PostgresStoreOptions<D extends object> {
  /** A `pg` Pool, PGlite, or anything else with `query(text, values)`. It must reach the primary. */
  readonly client: PostgresClient;
  /** `table` or `schema.table`, exactly as stored. Default `hydrant_connections`. */
  readonly table?: string;
  readonly columns?: PostgresColumns;
  /** A SQL condition on a row's columns: other rows do not exist for this store. For example `deleted_at is null`. */
  readonly where?: string;
  /**
   * A SQL condition on a row's columns: when is it stopped? Default: the status column is `'stopped'`. Give `'false'`
   * for a table without such a thing. Operators and functions that are not built in need their schema.
   */
  readonly stopped?: string;
  /** The type of a mapped table's id column. An id of another form is unknown rather than an error. Default `'text'`. */
  readonly idType?: 'text' | 'uuid' | 'bigint';
  /**
   * Maps onto a table that exists: a row, all columns of it, to a record's own fields (id, version and status are
   * added). What it throws makes that row, and no other, `INVALID_RECORD`. It may read only what `columns.config` names.
   */
  readonly mapRow?: (row: Readonly<Record<string, unknown>>) => D | Fields<D>;
  /**
   * A record to the columns of its row, for `put` on a mapped table. Arrays for a `jsonb` column must be
   * `JSON.stringify`ed: drivers take them for SQL arrays. The id, and the status where there is a status column, are
   * added when missing.
   */
  readonly toRow?: (record: Draft<D> & { readonly status: ConnectionStatus }) => Readonly<Record<string, unknown>>;
  /** What `delete` sets instead of deleting, for example `deleted_at = now()`. Needed for `delete` when there is a `where`. */
  readonly softDelete?: string;
  /** Whether the migration adds the triggers that `watch` listens to. Default true. */
  readonly notify?: boolean;
  /** The NOTIFY channel. Default: derived from the table's name. */
  readonly channel?: string;
  /**
   * Makes a connection of its own for LISTEN, not connected yet: `() => new pg.Client(...)`. Without it there is no
   * `watch`, and everything works through a pooler in transaction mode.
   */
  readonly listenClient?: () => PostgresListenClient | Promise<PostgresListenClient>;
  readonly watch?: PostgresWatchTuning;
  /** Told when a subscription was lost or could not be made again; attempts go on. Default: nobody. */
  readonly onWatchError?: (error: unknown) => void;
  /** The source of time for `watch`. Default: the system's. */
  readonly clock?: Clock;
}
