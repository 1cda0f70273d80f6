import type { Version } from '../../contracts/record.js';
import type { ConnectionStore, StoreListener, StoreReadOptions } from '../../contracts/store.js';
import { ConnectionError, isConnectionError } from '../../errors.js';
import type { Draft, Fields, StoredRecord } from '../drafts.js';
import { tuningOf } from '../subscribing.js';
import type { PostgresClient } from './client.js';
import { layoutOf, type Layout } from './layout.js';
import { migrationOf, type MigrationSql } from './migration.js';
import type { PostgresStoreOptions } from './options.js';
import { ID, isPossibleId, queriesOf, upsert, VERSION, VISIBLE, type Queries } from './queries.js';
import { invalidOption } from './quoting.js';
import { recordOf, rowOf } from './rows.js';
import { subscribe, type PostgresSubscribing } from './subscription.js';

type Row = Readonly<Record<string, unknown>>;

/** The options of a {@link PostgresStore} as far as its table is concerned; the others may be there as well. */
export type MigrationOptions = Omit<PostgresStoreOptions<never>, 'client' | 'mapRow' | 'toRow'> & {
  readonly client?: unknown;
  readonly mapRow?: unknown;
  readonly toRow?: unknown;
  /** How long `up` and `down` wait for the table, milliseconds; 0 for no limit. Default 5 000. */
  readonly lockTimeoutMs?: number;
};

/**
 * Rows in PostgreSQL 14 or later, in a table of its own (`migrate()` makes it) or mapped onto one that exists.
 *
 * **Data model.** Its own table is `hydrant_connections(id, status, version, data)`; `data` is `jsonb` and holds a
 * record's other fields. A version is a `bigint` from a sequence that a trigger gives to every insert and to every
 * update that changes the id, the configuration columns, whether the row is *stopped*, or whether `where` lets it
 * through. Nothing else changes it, so bookkeeping, and a status such as `'error'`, cost no new hydrate; and nothing
 * can set it back, not even an application that writes whole rows.
 *
 * **Consistency.** Every read is one query outside a transaction, so it sees what was committed before it was sent,
 * given that `client` reaches the primary and `default_transaction_isolation` is what it is by default. Hints
 * (`watch`) are sent on commit, at most once. After a restore from a backup the sequence may repeat versions that
 * running replicas still hold: restart them.
 *
 * @typeParam D - the records, or their own fields; id, version and status are added
 *
 * @example
 * const store = new PostgresStore<Row>({ client: new pg.Pool(), listenClient: () => new pg.Client() });
 * await store.migrate();
 * await store.put({ id: 'acme', organizationId: 'o1', platform: 'slack', config: { botTokenRef: 'vault:1' } });
 */
export class PostgresStore<D extends object = Record<string, unknown>> implements ConnectionStore<Fields<D> & StoredRecord> {
  /** Subscribes to hints by LISTEN; there only with the option `listenClient`. Rejects when the first attempt fails; goes on after that. */
  readonly watch?: (listener: StoreListener) => Promise<AsyncDisposable>;
  readonly #client: PostgresClient;
  readonly #options: PostgresStoreOptions<D>;
  readonly #layout: Layout;
  readonly #queries: Queries;

  /** @throws ConnectionError `INVALID_OPTIONS` */
  constructor(options: PostgresStoreOptions<D>) {
    if (typeof options !== 'object' || options === null) throw invalidOption('options', 'an object', options);
    if (typeof options.client?.query !== 'function') throw invalidOption('client', 'an object with query(text, values)', options.client);
    if (options.toRow !== undefined && typeof options.toRow !== 'function') throw invalidOption('toRow', 'a function', options.toRow);
    this.#options = options;
    this.#client = options.client;
    this.#layout = layoutOf(options);
    this.#queries = queriesOf(this.#layout);
    const subscribing = subscribingOf(options, this.#layout.channel);
    if (subscribing !== undefined) this.watch = (listener) => subscribe(subscribing, listener);
  }

  /**
   * The migration as SQL, for those who migrate by file: give it the options the store gets. `down` removes exactly
   * what `up` added. Run either as one transaction.
   *
   * @throws ConnectionError `INVALID_OPTIONS`
   */
  static migrationSql(options: MigrationOptions = {}): MigrationSql {
    const { up, down } = migrationOf(layoutOf(options as never), lockTimeout(options.lockTimeoutMs));
    return { up, down };
  }

  /**
   * Brings the table up to date in one transaction. Safe to call on every start and by many replicas at once: when
   * nothing is to be done, nothing is locked. Fails with PostgreSQL's 55P03, having changed nothing, when the table
   * cannot be locked within `lockTimeoutMs` (default 5 000).
   */
  async migrate({ lockTimeoutMs }: { lockTimeoutMs?: number } = {}): Promise<void> {
    await this.#client.query(migrationOf(this.#layout, lockTimeout(lockTimeoutMs)).once);
  }

  /** @throws ConnectionError `INVALID_RECORD` when `mapRow` throws */
  async get(id: string, options?: StoreReadOptions): Promise<(Fields<D> & StoredRecord) | undefined> {
    const record = (await this.getMany([id], options)).get(id);
    if (isConnectionError(record)) throw record;
    return record;
  }

  /** One query. A row that `mapRow` throws on has its `INVALID_RECORD` error in the record's place. */
  async getMany(ids: readonly string[], options?: StoreReadOptions): Promise<ReadonlyMap<string, Fields<D> & StoredRecord>> {
    const records = new Map<string, Fields<D> & StoredRecord>();
    for (const row of await this.#read(this.#queries.rows, ids, options)) {
      records.set(row[ID] as string, recordOf(row, this.#options.mapRow) as Fields<D> & StoredRecord);
    }
    return records;
  }

  /** One query, of versions only. */
  async getVersions(ids: readonly string[], options?: StoreReadOptions): Promise<ReadonlyMap<string, Version>> {
    const rows = await this.#read(this.#queries.versions, ids, options);
    return new Map(rows.map((row) => [row[ID] as string, row[VERSION] as string]));
  }

  /**
   * Writes a whole row, new or not, and resolves to it as it now is. An identical row keeps its version.
   *
   * @throws ConnectionError `INVALID_CONNECTION_ID`, `INVALID_RECORD`; `INVALID_OPTIONS` where a mapped table has no
   * `toRow`, or where the written row is none that `where` lets through
   */
  async put(record: Draft<D>): Promise<Fields<D> & StoredRecord> {
    const { text, values } = upsert(this.#layout, this.#queries, rowOf(record, this.#layout, this.#options.toRow));
    const row = (await this.#client.query(text, values)).rows[0] as Row | undefined;
    if (row?.[VISIBLE] !== 'true') {
      throw new ConnectionError(
        'INVALID_OPTIONS',
        `PostgresStore: the row of connection '${record.id}' was written, but where hides it: toRow must set the columns that where looks at`,
        { connectionId: record.id },
      );
    }
    const written = recordOf(row, this.#options.mapRow);
    if (isConnectionError(written)) throw written;
    return written as Fields<D> & StoredRecord;
  }

  /**
   * Deletes a row, or does what `softDelete` says. An unknown id is no error.
   *
   * @throws ConnectionError `INVALID_OPTIONS` where there is a `where` and no `softDelete`: deleting for good may not
   * be what this table's owner does
   */
  async delete(id: string): Promise<void> {
    if (this.#queries.remove === undefined) throw new ConnectionError('INVALID_OPTIONS', 'PostgresStore: delete on a table with where needs the option softDelete');
    if (isPossibleId(this.#layout, id)) await this.#client.query(this.#queries.remove, [id]);
  }

  /** Gives a row a new version: every replica hydrates it anew. Resolves to whether there is such a row. */
  async touch(id: string): Promise<boolean> {
    return isPossibleId(this.#layout, id) && (await this.#client.query(this.#queries.touch, [id])).rows.length > 0;
  }

  /** All records, by id. Rows that `mapRow` throws on are left out; `get` says what is wrong with them. */
  async list(): Promise<readonly (Fields<D> & StoredRecord)[]> {
    const { rows } = await this.#client.query(this.#queries.all, []);
    return rows.map((row) => recordOf(row as Row, this.#options.mapRow))
      .filter((record) => !isConnectionError(record)) as (Fields<D> & StoredRecord)[];
  }

  async #read(text: string, ids: readonly string[], options: StoreReadOptions | undefined): Promise<readonly Row[]> {
    options?.signal?.throwIfAborted();
    const possible = ids.filter((id) => isPossibleId(this.#layout, id));
    if (possible.length === 0) return [];
    const { rows } = await this.#client.query(text, [possible]);
    // A collation may find equal what is not the same, and UTF-8 has no lone surrogates: only what was asked for counts.
    const asked = new Set(possible);
    return (rows as readonly Row[]).filter((row) => asked.has(row[ID] as string));
  }
}

function lockTimeout(ms = 5_000): number {
  if (!Number.isInteger(ms) || ms < 0 || ms > 2 ** 31 - 1) throw invalidOption('lockTimeoutMs', 'whole milliseconds, 0 for no limit', ms);
  return ms;
}

function subscribingOf(
  { client, listenClient, onWatchError, clock, watch = {} }: Pick<PostgresStoreOptions<object>, 'client' | 'listenClient' | 'onWatchError' | 'clock' | 'watch'>,
  channel: string,
): PostgresSubscribing | undefined {
  if (listenClient === undefined) return undefined;
  if (typeof listenClient !== 'function') throw invalidOption('listenClient', 'a function that makes a connection', listenClient);
  return { client, listenClient, channel, ...tuningOf(watch, invalidOption), onError: onWatchError, clock };
}
