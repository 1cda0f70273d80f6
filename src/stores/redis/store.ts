import { describe, unexpected } from '../../checks.js';
import { systemClock } from '../../clock.js';
import type { ConnectionStatus, Version } from '../../contracts/record.js';
import type { ConnectionStore, StoreListener, StoreReadOptions } from '../../contracts/store.js';
import { ConnectionError, isConnectionError } from '../../errors.js';
import { fieldsOf, invalidRow, jsonOf, draftStatus, type Draft, type Fields, type StoredRecord } from '../drafts.js';
import { watchTuning } from '../subscribing.js';
import { adapt, pairs, type RedisClient } from './client.js';
import { RedisConnection } from './connection.js';
import { listen, type RedisWatchOptions } from './listening.js';
import { randomName } from './random-name.js';
import { DELETE, PUT, SCAN, TOUCH } from './scripts.js';

/** Options of a {@link RedisStore}. */
export interface RedisStoreOptions extends RedisWatchOptions {
  /** An ioredis client or Cluster, or a connected node-redis client, pool or cluster. It must reach the primary. */
  readonly client: RedisClient;
  /**
   * The prefix of the store's four keys and its channel. Default `{hydrant}:`. The text in braces keeps the keys on one
   * node of a cluster, so keep the braces.
   */
  readonly prefix?: string;
}

/** Ids of one command. More would be spread on the stack, and block the server. */
const CHUNK = 1_000;
/** A command that is not answered for so long fails. Then the connection is replaced if it is silent. */
const TIMEOUT_MS = 5_000;

/**
 * Rows in Redis 6 or later, on a client the caller owns.
 *
 * **Data model.** `{hydrant}:records` and `{hydrant}:versions` are hashes with a field per connection,
 * `{hydrant}:counter` numbers the changes, and `{hydrant}:scope` is a random part of the channel's name. Every change is
 * one script, so the keys agree. A version is the number of its change and 12 random characters: it is new even after
 * Redis lost its last writes in a failover, or all of them. Write through this class only.
 *
 * **Consistency.** A read is one command, and sees what was written before it was sent, given that it reaches the
 * primary (ioredis: leave `scaleReads` alone; node-redis: leave `useReplicas` alone). An asynchronous failover can
 * lose acknowledged writes: a connection that was stopped may be active again, which no reader can know. No key has a
 * time to live, so `volatile-*` policies are safe. An `allkeys-*` policy may evict a key, and with it every row. Hints
 * are sent with the change, at most once, and numbered: a listener that missed one knows by the next, or by the next
 * ping.
 *
 * **Silence.** A command that Redis does not answer within 5 s fails with `STORE_UNAVAILABLE`. If the connection is
 * silent as a whole, the next command goes over a duplicate of `client`, which ends when `client` ends. No option of the
 * client is needed for that. A pool of node-redis has no duplicate: give it `socketTimeout`.
 *
 * @typeParam D - the records, or their own fields; id, version and status are added
 *
 * @example
 * const store = new RedisStore<Row>({ client: new Redis(process.env.REDIS_URL) });
 * await store.put({ id: 'acme', organizationId: 'o1', platform: 'slack', config: { botTokenRef: 'vault:1' } });
 */
export class RedisStore<D extends object = Record<string, unknown>> implements ConnectionStore<Fields<D> & StoredRecord> {
  /**
   * Subscribes to hints; absent with `watch: false`, and on a pool. Rejects when the first attempt fails. Later attempts
   * go on in the background.
   */
  readonly watch?: (listener: StoreListener) => Promise<AsyncDisposable>;
  readonly #redis: RedisConnection;
  readonly #keys: Readonly<Record<'records' | 'versions' | 'counter' | 'scope' | 'channel', string>>;

  /** @throws ConnectionError `INVALID_OPTIONS` */
  constructor(options: RedisStoreOptions) {
    if (typeof options !== 'object' || options === null) throw unexpected('RedisStore: options', 'an object', describe(options));
    const { client, prefix = '{hydrant}:', watch, onWatchError: onError, clock = systemClock } = options;
    const adapted = adapt(client);
    if (adapted === undefined) throw unexpected('RedisStore: client', 'a client of ioredis or node-redis', describe(client));
    if (typeof prefix !== 'string') throw unexpected('RedisStore: prefix', 'text', describe(prefix));
    const tuning = watch === false ? undefined : watchTuning('RedisStore', watch, 'false or an object');
    const redis = this.#redis = new RedisConnection(adapted, clock);
    const keys = this.#keys = {
      records: `${prefix}records`, versions: `${prefix}versions`,
      counter: `${prefix}counter`, scope: `${prefix}scope`, channel: `${prefix}changes`,
    };
    const { duplicate } = adapted;
    if (tuning !== undefined && duplicate !== undefined) {
      this.watch = (listener) => listen({ ...tuning, clock, onError, redis, duplicate, keys }, listener);
    }
  }

  /** @throws ConnectionError `INVALID_RECORD` when the stored value is no record */
  async get(id: string, options?: StoreReadOptions): Promise<(Fields<D> & StoredRecord) | undefined> {
    const record = (await this.getMany([id], options)).get(id);
    if (isConnectionError(record)) throw record;
    return record;
  }

  /** One command per thousand ids. A value that is no record has its `INVALID_RECORD` error in the record's place. */
  async getMany(
    ids: readonly string[],
    options?: StoreReadOptions,
  ): Promise<ReadonlyMap<string, Fields<D> & StoredRecord>> {
    const rows = await this.#read(this.#keys.records, ids, options);
    return new Map(Array.from(rows, ([id, row]) => [id, recordOf(id, row) as Fields<D> & StoredRecord]));
  }

  /** One command per thousand ids, of versions only. */
  getVersions(ids: readonly string[], options?: StoreReadOptions): Promise<ReadonlyMap<string, Version>> {
    return this.#read(this.#keys.versions, ids, options);
  }

  /**
   * Writes a whole row, new or not, and resolves to the written row. An identical row keeps its version.
   *
   * @throws ConnectionError `INVALID_CONNECTION_ID`, `INVALID_RECORD`
   */
  async put(draft: Draft<D>): Promise<Fields<D> & StoredRecord> {
    const { id } = draft;
    if (!isPossibleId(id)) {
      const expected = 'expected a record with non-empty, well-formed text as its id';
      throw new ConnectionError('INVALID_CONNECTION_ID', `RedisStore: ${expected}`);
    }
    const json = jsonOf('RedisStore', id, { status: draftStatus('RedisStore', draft), ...fieldsOf(draft) });
    const record = recordOf(id, await this.#change(PUT, id, json));
    if (isConnectionError(record)) throw record;
    return record as Fields<D> & StoredRecord;
  }

  /** Deletes a row. An unknown id is not an error. */
  async delete(id: string): Promise<void> {
    if (isPossibleId(id)) await this.#change(DELETE, id);
  }

  /** Gives a row a new version, so that every replica hydrates it anew. Resolves to whether there is such a row. */
  async touch(id: string): Promise<boolean> {
    return isPossibleId(id) && (await this.#change(TOUCH, id)) === 1;
  }

  /**
   * All records, without an order. They are read in steps, so a row that is written meanwhile may be missing. Rows that are
   * not valid records are left out.
   */
  async list(): Promise<readonly (Fields<D> & StoredRecord)[]> {
    const records = new Map<string, Fields<D> & StoredRecord>();
    let cursor = '0';
    do {
      const [next, entries] = await this.#eval(SCAN, [this.#keys.records], [cursor]) as [string, string[]];
      for (const [id, row] of pairs(entries)) {
        const record = recordOf(id, row);
        if (!isConnectionError(record)) records.set(id, record as Fields<D> & StoredRecord);
      }
      cursor = next;
    } while (cursor !== '0');
    return [...records.values()];
  }

  #change(script: string, id: string, ...json: string[]): Promise<unknown> {
    const { records, versions, counter, scope, channel } = this.#keys;
    return this.#eval(script, [records, versions, counter, scope], [id, channel, randomName(), ...json]);
  }

  #eval(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.#redis.send((commands) => commands.eval(script, keys, args), { timeoutMs: TIMEOUT_MS });
  }

  async #read(
    key: string, ids: readonly string[], { signal }: StoreReadOptions = {},
  ): Promise<ReadonlyMap<string, string>> {
    signal?.throwIfAborted();
    const possible = ids.filter(isPossibleId);
    const found = new Map<string, string>();
    for (let from = 0; from < possible.length; from += CHUNK) {
      const asked = possible.slice(from, from + CHUNK);
      const values = await this.#redis.send((commands) => commands.hmget(key, asked), { timeoutMs: TIMEOUT_MS, signal });
      asked.forEach((id, n) => {
        const value = values[n];
        if (typeof value === 'string') found.set(id, value);
      });
    }
    return found;
  }
}

/** UTF-8 has no lone surrogates: such an id would be found as another one. */
const isPossibleId = (id: unknown): id is string => typeof id === 'string' && id !== '' && !/\p{Surrogate}/u.test(id);

function recordOf(id: string, row: unknown): StoredRecord | ConnectionError<'INVALID_RECORD'> {
  try {
    const text = row as string;
    const space = text.indexOf(' ');
    // A value that is not an object has no status, or throws when it is read.
    const fields = JSON.parse(text.slice(space + 1)) as { status?: ConnectionStatus };
    if (space < 1 || (fields.status !== 'active' && fields.status !== 'stopped')) {
      throw new TypeError('expected a version and a JSON object with a status');
    }
    return { ...fields, id, version: text.slice(0, space), status: fields.status };
  } catch (cause) {
    return invalidRow(id, cause);
  }
}
