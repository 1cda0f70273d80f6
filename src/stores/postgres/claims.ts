import type { Clock } from '../../clock.js';
import { aFunction, check, optional } from '../../checks.js';
import type {
  Claim, ClaimCallOptions, ClaimHint, ClaimRequest, ClaimStore, HeldClaim, Member, ReleaseRequest, RenewRequest, RenewResult,
} from '../../exclusive/claims/contract.js';
import { claimHintOf, MISSED_RELEASES, releaseEntries } from '../hints.js';
import { checkedForgetting } from '../forgetting.js';
import { Forgetting } from './claims-forgetting.js';
import { claimsSql, type ClaimsSql } from './claims-sql.js';
import { checkedClient } from './checked-client.js';
import type { PostgresClient, PostgresListenClient } from './client.js';
import { Database } from './database.js';
import { findingsBy, migrateBy, type MigrationSql, type SchemaFinding } from './migration.js';
import { lockTimeout, queryTimeout } from './checked-options.js';
import { watchTuning, type WatchTuning } from '../subscribing.js';
import { subscribe } from './subscription.js';

/** Options of {@link PostgresClaims}. */
export interface PostgresClaimsOptions {
  /**
   * A `pg` Pool, or anything else with `query(text, values)`. It must reach the primary. Give it a small pool of its
   * own, because a renewal that waits behind other queries may come too late.
   */
  readonly client: PostgresClient;
  /**
   * The longest time for a query, in milliseconds. With a short `ttlMs`, the runner waits less. Then the query fails, and a
   * `pg` Pool's connection is closed, so a connection that no longer answers is replaced. Default 10 000.
   */
  readonly queryTimeoutMs?: number;
  /** `table` or `schema.table`, exactly as stored. Runners with other lists need other tables. Default `hydrant_claims`. */
  readonly table?: string;
  /**
   * Makes a connection of its own for LISTEN, not connected yet: `() => new pg.Client(...)`. With it, a released claim is
   * taken over within milliseconds. Without it, that happens at the next tick.
   */
  readonly listenClient?: () => PostgresListenClient | Promise<PostgresListenClient>;
  /** A claim's row is deleted this many milliseconds after the claim expired. Default 30 days. */
  readonly forgetAfterMs?: number;
  /** Settings that keep the LISTEN connection alive. */
  readonly watch?: WatchTuning;
  /** Called after every failed attempt to listen. hydrant goes on trying. Default: none. */
  readonly onWatchError?: (error: unknown) => void;
  /** The source of time for the LISTEN connection. Claims go by the database's clock. Default: the system's. */
  readonly clock?: Clock;
}

/** Candidates of one query. A fleet may list a million, and mostly one of the first is free. */
const CHUNK = 10_000;

interface RenewRow { readonly kind: 'renewed' | 'lost' | 'stray' | 'member'; readonly id: string; readonly value: string | null }
interface ClaimRow { readonly id: string; readonly token: string; readonly notes: string | null }

/**
 * Claims in PostgreSQL (14 or later). There is one row per connection and one statement per call. No transaction stays open,
 * so it works through a pooler in transaction mode. Claims expire by the database's clock. If that is set ahead by more than
 * the margin, owners may overlap until their next heartbeat, and only the fencing token tells them apart. A server
 * that loses committed transactions (`synchronous_commit = off` and a crash, failover to a lagging standby) loses the
 * guarantee as well.
 *
 * @example
 * const claims = new PostgresClaims({
 *   client: new pg.Pool({ max: 2 }),
 *   listenClient: () => new pg.Client(),
 * });
 * await claims.migrate();
 */
export class PostgresClaims implements ClaimStore {
  readonly watch?: (listener: (hint: ClaimHint) => void) => Promise<AsyncDisposable>;
  readonly #database: Database;
  readonly #sql: ClaimsSql;
  readonly #forgetting: Forgetting;

  /** @throws ConnectionError `INVALID_OPTIONS` */
  constructor(options: PostgresClaimsOptions) {
    const { client, table = 'hydrant_claims', listenClient, watch, onWatchError: onError, clock } = options;
    const timeoutMs = queryTimeout('PostgresClaims', options.queryTimeoutMs);
    check('PostgresClaims', optional(aFunction('a function that makes a connection')), listenClient, 'listenClient');
    const forgetAfterMs = checkedForgetting('PostgresClaims', options.forgetAfterMs);
    const tuning = watchTuning('PostgresClaims', watch);
    const database = (this.#database = new Database(checkedClient('PostgresClaims', client), timeoutMs, clock));
    const sql = (this.#sql = claimsSql(table));
    this.#forgetting = new Forgetting(database, sql, forgetAfterMs);
    if (listenClient === undefined) return;
    this.watch = (listener) =>
      subscribe(
        { database, listenClient, channel: sql.channel, ...tuning, onError, clock },
        { changed: (entries) => listener(claimHintOf(entries)), gap: () => listener(MISSED_RELEASES) },
      );
  }

  /**
   * The migration as SQL, to put into migration files: `table` as the constructor gets it. Run either as one
   * transaction.
   *
   * @throws ConnectionError `INVALID_OPTIONS`
   */
  static migrationSql({
    table = 'hydrant_claims',
    lockTimeoutMs,
  }: { readonly table?: string; readonly lockTimeoutMs?: number } = {}): MigrationSql {
    const { up, down } = claimsSql(table).migration(lockTimeout(lockTimeoutMs));
    return { up, down };
  }

  /**
   * Makes the tables, repairs them, and resolves to what was missing. Many replicas may call it at every start. If there is
   * nothing to do, it locks nothing. Fails with 55P03 if it does not get a lock within `lockTimeoutMs` (default 5 000).
   */
  async migrate({ lockTimeoutMs }: { lockTimeoutMs?: number } = {}): Promise<readonly SchemaFinding[]> {
    return await migrateBy(this.#sql.migration(lockTimeout(lockTimeoutMs)), this.#database);
  }

  /** Compares the database with the result of `migrate()`, and changes nothing. Empty if nothing is missing. */
  async check(): Promise<readonly SchemaFinding[]> {
    return await findingsBy(this.#sql.migration(0), this.#database);
  }

  async renew({ replica, ttlMs, member, load, held }: RenewRequest, options?: ClaimCallOptions): Promise<RenewResult> {
    const values = [replica, String(ttlMs), String(member), String(load), JSON.stringify(held.map(asText))];
    const rows = await this.#query<RenewRow>(this.#sql.renew, values, options);
    this.#forgetting.renewed();
    const of = (kind: RenewRow['kind']): RenewRow[] => rows.filter((row) => row.kind === kind);
    const others = of('member').map(({ id, value }): Member => ({ replica: id, load: Number(value) }));
    return {
      renewed: of('renewed').map(({ id }) => id),
      lost: of('lost').map(({ id }) => id),
      strays: of('stray').map(({ id, value }) => ({ id, token: BigInt(value ?? 0) })),
      // The statement does not see its own writes.
      members: member ? [...others, { replica, load }] : others,
    };
  }

  /** Ids offered to this replica come first among each ten thousand. */
  async claim({ replica, ttlMs, ids, limit, freeForMs }: ClaimRequest, options?: ClaimCallOptions): Promise<readonly Claim[]> {
    const taken: Claim[] = [];
    for (let from = 0; from < ids.length && taken.length < limit; from += CHUNK) {
      const wanted = JSON.stringify(ids.slice(from, from + CHUNK));
      const values = [replica, String(ttlMs), wanted, String(limit - taken.length), String(freeForMs)];
      const rows = await this.#query<ClaimRow>(this.#sql.claim, values, options);
      for (const { id, token, notes } of rows) taken.push({ id, token: BigInt(token), notes: notes ?? undefined });
    }
    return taken;
  }

  async release({ replica, claims, leave }: ReleaseRequest, options?: ClaimCallOptions): Promise<void> {
    const given = claims.map(({ offer, ...claim }) => ({ ...asText(claim), ...offer }));
    const hint = JSON.stringify(releaseEntries({ replica, leave }));
    await this.#query(this.#sql.release, [replica, JSON.stringify(given), String(leave), hint], options);
  }

  async #query<Row>(text: string, values: unknown[], options: ClaimCallOptions | undefined): Promise<readonly Row[]> {
    return await this.#database.query<Row>(text, values, { signal: options?.signal });
  }
}

/** JSON knows no bigint. */
function asText({ id, token, notes }: HeldClaim & { readonly notes?: string | undefined }): {
  id: string;
  token: string;
  notes: string | undefined;
} {
  return { id, token: String(token), notes };
}
