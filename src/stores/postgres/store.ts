import type { Version } from '../../contracts/record.js';
import type { ConnectionStore, StoreListener, StoreReadOptions } from '../../contracts/store.js';
import { ConnectionError, isConnectionError } from '../../errors.js';
import type { Draft, Fields, StoredRecord } from '../drafts.js';
import { watchTuning } from '../subscribing.js';
import { checkedClient } from './checked-client.js';
import { Database, withColumn } from './database.js';
import { layoutOf, type Layout } from './layout.js';
import { findingsBy, migrateBy, migrationOf, type MigrationSql, type SchemaFinding } from './migration.js';
import type { PostgresStoreOptions } from './options.js';
import { ID, IDS, isPossibleId, upsert, VISIBLE } from './queries.js';
import { invalidOption, lockTimeout, queryTimeout } from './checked-options.js';
import { recordOf, rowOf } from './rows.js';
import { subscribe, type PostgresSubscribing } from './subscription.js';
import { Table } from './table.js';
import { VersionReader } from './versions.js';

type Row = Readonly<Record<string, unknown>>;

/** The options of a {@link PostgresStore} that are about its table. The others are allowed too. */
export type MigrationOptions = Omit<PostgresStoreOptions<never>, 'client' | 'mapRow' | 'toRow'> & {
  readonly client?: unknown;
  readonly mapRow?: unknown;
  readonly toRow?: unknown;
  /** The longest wait of `up` and `down` for the table, in milliseconds. 0: no limit. Default 5 000. */
  readonly lockTimeoutMs?: number;
};

/**
 * Rows in PostgreSQL 14 or later, in a table of its own (`migrate()` makes it) or mapped onto one that exists.
 *
 * **Data model.** Its own table is `hydrant_connections(id, status, data, touched, version)`. `data` is `jsonb` and holds a
 * record's other fields. `version` is a generated column: a hash of the others. On a mapped table a version is a hash of
 * the status and the configuration, computed where the row is read; see the option `versions`. No trigger makes versions,
 * so no schema tool and no lost trigger can hide an edit, and bookkeeping outside the configuration costs no new hydrate.
 *
 * **Consistency.** Every read is one query outside a transaction, so it sees everything that was committed before it was
 * sent, if `client` reaches the primary and `default_transaction_isolation` has its default. Hints (`watch`) are sent on
 * commit, at most once.
 *
 * @typeParam D - the records, or their own fields; id, version and status are added
 *
 * @example
 * const store = new PostgresStore<Row>({ client: new pg.Pool(), listenClient: () => new pg.Client() });
 * await store.migrate();
 * await store.put({ id: 'acme', organizationId: 'o1', platform: 'slack', config: { botTokenRef: 'vault:1' } });
 */
export class PostgresStore<D extends object = Record<string, unknown>> implements ConnectionStore<Fields<D> & StoredRecord> {
  /**
   * Subscribes to hints by LISTEN. Present with the option `listenClient` only. Rejects when the first attempt fails. After
   * that, a subscription that is lost is made again.
   */
  readonly watch?: (listener: StoreListener) => Promise<AsyncDisposable>;
  readonly #options: PostgresStoreOptions<D>;
  readonly #layout: Layout;
  readonly #database: Database;
  readonly #table: Table;
  readonly #versions = new VersionReader();

  /** @throws ConnectionError `INVALID_OPTIONS` */
  constructor(options: PostgresStoreOptions<D>) {
    if (typeof options !== 'object' || options === null) throw invalidOption('options', 'an object', options);
    const client = checkedClient('PostgresStore', options.client);
    if (options.toRow !== undefined && typeof options.toRow !== 'function')
      throw invalidOption('toRow', 'a function', options.toRow);
    this.#options = options;
    this.#layout = layoutOf(options);
    this.#database = new Database(client, queryTimeout('PostgresStore', options.queryTimeoutMs), options.clock);
    this.#table = new Table(this.#layout, this.#database);
    const subscribing = subscribingOf(options, this.#database, this.#layout.channel);
    if (subscribing !== undefined) this.watch = (listener) => subscribe(subscribing, listener);
  }

  /**
   * The migration as SQL, to put into migration files. Pass the options of the store. `down` removes exactly
   * what `up` added. Run either as one transaction.
   *
   * @throws ConnectionError `INVALID_OPTIONS`
   */
  static migrationSql(options: MigrationOptions = {}): MigrationSql {
    const { up, down } = migrationOf(layoutOf(options as never), lockTimeout(options.lockTimeoutMs));
    return { up, down };
  }

  /**
   * Brings the database up to date in one transaction, and resolves to what was missing or different until then. It also
   * converts a table of hydrant 0.1. Safe to call on every start and by many replicas at once: when there is nothing to
   * do, it takes no lock but that of a read.
   *
   * Fails, having changed nothing, with `INVALID_OPTIONS` if the table has no column that an option names, or one of another
   * type.
   *
   * Fails with PostgreSQL's 55P03, having changed nothing, when a lock cannot be had within `lockTimeoutMs` (default 5 000).
   */
  async migrate({ lockTimeoutMs }: { lockTimeoutMs?: number } = {}): Promise<readonly SchemaFinding[]> {
    const migration = migrationOf(this.#layout, lockTimeout(lockTimeoutMs));
    await this.#table.tryOptions();
    const findings = await migrateBy(migration, this.#database);
    if (findings.length > 0) this.#table.forget();
    return findings;
  }

  /**
   * Compares the database with what `migrate()` would make, tries the options by a read that returns nothing, and changes
   * nothing. Empty: all is well.
   */
  async check(): Promise<readonly SchemaFinding[]> {
    const findings = await findingsBy(migrationOf(this.#layout, 0), this.#database);
    try {
      await this.#table.tryOptions();
      return findings;
    } catch (error) {
      if (!isConnectionError(error, 'INVALID_OPTIONS')) throw error;
      return [{ object: 'options', problem: error.message }, ...findings];
    }
  }

  /** @throws ConnectionError `INVALID_RECORD` when `mapRow` throws */
  async get(id: string, options?: StoreReadOptions): Promise<(Fields<D> & StoredRecord) | undefined> {
    const record = (await this.getMany([id], options)).get(id);
    if (isConnectionError(record)) throw record;
    return record;
  }

  /** One query. A row that `mapRow` throws on has its `INVALID_RECORD` error in the record's place. */
  async getMany(ids: readonly string[], options?: StoreReadOptions): Promise<ReadonlyMap<string, Fields<D> & StoredRecord>> {
    return await this.#table.read(options, async ({ queries, facts, query }) => {
      const asked = new Set(ids.filter((id) => isPossibleId(facts, id)));
      const records = new Map<string, Fields<D> & StoredRecord>();
      if (asked.size === 0) return records;
      for (const row of await query<Row>(queries.rows, [JSON.stringify([...asked])])) {
        // A collation may find equal what is not the same: only what was asked for counts.
        if (asked.has(withColumn(row, ID)[ID] as string))
          records.set(row[ID] as string, recordOf(row, this.#options.mapRow) as Fields<D> & StoredRecord);
      }
      return records;
    });
  }

  /** One query, of versions only; a second one for mapped rows that have changed since the last. */
  async getVersions(ids: readonly string[], options?: StoreReadOptions): Promise<ReadonlyMap<string, Version>> {
    return await this.#table.read(options, async ({ queries, facts, query }) => {
      const asked = new Set(ids.filter((id) => isPossibleId(facts, id)));
      if (asked.size === 0) return new Map<string, Version>();
      const send = async (text: string, these: Iterable<string>): Promise<Row> =>
        withColumn((await query<Row>(text, [JSON.stringify([...these])]))[0] ?? {}, IDS);
      const versions = await this.#versions.read(queries, asked, send, () => this.#table.forget());
      for (const id of versions.keys()) if (!asked.has(id)) versions.delete(id);
      return versions;
    });
  }

  /**
   * Writes a whole row, new or not, and resolves to the written row. An identical row keeps its version. If PostgreSQL ended
   * the write because of a deadlock, it is repeated, at most twice. So are `delete` and `touch`.
   *
   * @throws ConnectionError `INVALID_CONNECTION_ID`, `INVALID_RECORD`; `INVALID_OPTIONS` if a mapped table has no `toRow`,
   * or if `where` hides the written row
   */
  async put(record: Draft<D>): Promise<Fields<D> & StoredRecord> {
    const row = await this.#table.write(async ({ queries, facts, query }) => {
      const { text, values } = upsert(this.#layout, queries, rowOf(record, this.#layout, facts, this.#options.toRow));
      return (await query<Row>(text, values))[0];
    });
    if (row?.[VISIBLE] !== 'true') {
      throw new ConnectionError(
        'INVALID_OPTIONS',
        `PostgresStore: the row of connection '${record.id}' was written, but where hides it: `
          + 'toRow must set the columns that where looks at',
        { connectionId: record.id },
      );
    }
    const written = recordOf(row, this.#options.mapRow);
    if (isConnectionError(written)) throw written;
    return written as Fields<D> & StoredRecord;
  }

  /**
   * Deletes a row, or sets what `softDelete` says. An unknown id is not an error.
   *
   * @throws ConnectionError `INVALID_OPTIONS` if there is a `where` and no `softDelete`, because the application may only
   * mark rows as deleted
   */
  async delete(id: string): Promise<void> {
    await this.#table.write(async ({ queries, facts, query }) => {
      if (queries.remove === undefined) {
        throw new ConnectionError('INVALID_OPTIONS', 'PostgresStore: delete on a table with where needs the option softDelete');
      }
      if (isPossibleId(facts, id)) await query(queries.remove, [id]);
    });
  }

  /**
   * Gives a row a new version, so that every replica hydrates it anew. Resolves to whether there is such a row.
   *
   * @throws ConnectionError `INVALID_OPTIONS` on a mapped table without a table of touches: with `versions: 'hash'` or a
   * column, and before `migrate()`
   */
  async touch(id: string): Promise<boolean> {
    return await this.#table.write(async ({ queries, facts, query }) => {
      if (queries.touch === undefined) {
        throw new ConnectionError(
          'INVALID_OPTIONS',
          `PostgresStore: touch on a mapped table needs versions: 'table' and migrate()`,
        );
      }
      return isPossibleId(facts, id) && (await query(queries.touch, [id])).length > 0;
    });
  }

  /** All records, by id. Rows on which `mapRow` throws are left out. `get` says what is wrong with them. */
  async list(): Promise<readonly (Fields<D> & StoredRecord)[]> {
    const rows = await this.#table.read(undefined, ({ queries, query }) => query<Row>(queries.all));
    return rows.map((row) => recordOf(row, this.#options.mapRow))
      .filter((record) => !isConnectionError(record)) as (Fields<D> & StoredRecord)[];
  }
}

function subscribingOf(
  {
    listenClient,
    onWatchError,
    clock,
    watch,
  }: Pick<PostgresStoreOptions<object>, 'listenClient' | 'onWatchError' | 'clock' | 'watch'>,
  database: Database,
  channel: string,
): PostgresSubscribing | undefined {
  if (listenClient === undefined) return undefined;
  if (typeof listenClient !== 'function') throw invalidOption('listenClient', 'a function that makes a connection', listenClient);
  return { database, listenClient, channel, ...watchTuning('PostgresStore', watch), onError: onWatchError, clock };
}
