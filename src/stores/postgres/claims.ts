import type { Clock } from '../../clock.js';
import { ConnectionError } from '../../errors.js';
import type {
  Claim, ClaimCallOptions, ClaimHint, ClaimRequest, ClaimStore, HeldClaim, Member, ReleaseRequest, RenewRequest, RenewResult,
} from '../../exclusive/claims/contract.js';
import { claimHintOf, MISSED_RELEASES, releaseEntries } from '../hints.js';
import { claimsSql, type ClaimsSql } from './claims-sql.js';
import type { PostgresClient, PostgresListenClient } from './client.js';
import type { MigrationSql } from './migration.js';
import type { PostgresWatchTuning } from './options.js';
import { tuningOf } from '../subscribing.js';
import { subscribe } from './subscription.js';

/** Options of {@link PostgresClaims}. */
export interface PostgresClaimsOptions {
  /**
   * A `pg` Pool, or anything else with `query(text, values)`. It must reach the primary. Give it a small pool of its
   * own: a renewal that waits for a connection behind other queries may come too late.
   */
  readonly client: PostgresClient;
  /** `table` or `schema.table`, exactly as stored. Runners with different lists need different tables. Default `hydrant_claims`. */
  readonly table?: string;
  /**
   * Makes a connection of its own for LISTEN, not connected yet: `() => new pg.Client(...)`. With it, what is released
   * is taken over within milliseconds; without it, at the next tick.
   */
  readonly listenClient?: () => PostgresListenClient | Promise<PostgresListenClient>;
  /** How the LISTEN connection is kept alive. */
  readonly watch?: PostgresWatchTuning;
  /** Told about every failed attempt to listen; attempts go on. Default: nobody. */
  readonly onWatchError?: (error: unknown) => void;
  /** The source of time for the LISTEN connection. Claims go by the database's clock. Default: the system's. */
  readonly clock?: Clock;
}

interface RenewRow { readonly kind: 'renewed' | 'lost' | 'stray' | 'member'; readonly id: string; readonly value: string | null }
interface ClaimRow { readonly id: string; readonly token: string; readonly notes: string | null }

/**
 * Claims in PostgreSQL (14 or later): one row per connection, one statement per call, no transaction held open, so it
 * works through a pooler in transaction mode. Expiry goes by the database's clock: if that is set ahead by more than
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
  readonly #client: PostgresClient;
  readonly #sql: ClaimsSql;

  /** @throws ConnectionError `INVALID_OPTIONS` */
  constructor(options: PostgresClaimsOptions) {
    const { client, table = 'hydrant_claims', listenClient, watch = {}, onWatchError: onError, clock } = options;
    if (typeof client?.query !== 'function') throw invalidOption('client', 'an object with query(text, values)', client);
    if (listenClient !== undefined && typeof listenClient !== 'function') throw invalidOption('listenClient', 'a function that makes a connection', listenClient);
    const tuning = tuningOf(watch, invalidOption);
    this.#client = client;
    const sql = this.#sql = claimsSql(table);
    if (listenClient === undefined) return;
    this.watch = (listener) => subscribe({ client, listenClient, channel: sql.channel, ...tuning, onError, clock }, {
      changed: (entries) => listener(claimHintOf(entries)),
      gap: () => listener(MISSED_RELEASES),
    });
  }

  /**
   * The migration as SQL, for those who migrate by file: `table` as the constructor gets it. Run either as one
   * transaction.
   *
   * @throws ConnectionError `INVALID_OPTIONS`
   */
  static migrationSql({ table = 'hydrant_claims' }: { readonly table?: string } = {}): MigrationSql {
    const { up, down } = claimsSql(table);
    return { up, down };
  }

  /** Makes the tables. Safe to call on every start and by many replicas at once; does nothing when nothing is to be done. */
  async migrate(): Promise<void> {
    await this.#client.query(this.#sql.once);
  }

  async renew({ replica, ttlMs, member, load, held }: RenewRequest, options?: ClaimCallOptions): Promise<RenewResult> {
    const rows = await this.#query<RenewRow>(this.#sql.renew, [replica, ttlMs, member, load, JSON.stringify(held.map(asText))], options);
    const of = (kind: RenewRow['kind']): RenewRow[] => rows.filter((row) => row.kind === kind);
    const others = of('member').map(({ id, value }): Member => ({ replica: id, load: Number(value) }));
    return {
      renewed: of('renewed').map(({ id }) => id),
      lost: of('lost').map(({ id }) => id),
      strays: of('stray').map(({ id, value }) => ({ id, token: BigInt(value ?? 0) })),
      // What the statement itself has written it does not see.
      members: member ? [...others, { replica, load }] : others,
    };
  }

  async claim({ replica, ttlMs, ids, limit, freeForMs }: ClaimRequest, options?: ClaimCallOptions): Promise<readonly Claim[]> {
    const rows = await this.#query<ClaimRow>(this.#sql.claim, [replica, ttlMs, JSON.stringify(ids), limit, freeForMs], options);
    return rows.map(({ id, token, notes }) => ({ id, token: BigInt(token), notes: notes ?? undefined }));
  }

  async release({ replica, claims, leave }: ReleaseRequest, options?: ClaimCallOptions): Promise<void> {
    const given = claims.map(({ offer, ...claim }) => ({ ...asText(claim), ...offer }));
    const hint = JSON.stringify(releaseEntries({ replica, leave }));
    await this.#query(this.#sql.release, [replica, JSON.stringify(given), leave, hint], options);
  }

  async #query<Row>(text: string, values: unknown[], options: ClaimCallOptions | undefined): Promise<readonly Row[]> {
    options?.signal?.throwIfAborted();
    const { rows } = await this.#client.query(text, values);
    return rows as readonly Row[];
  }
}

function invalidOption(option: string, expected: string, got: unknown): ConnectionError<'INVALID_OPTIONS'> {
  return new ConnectionError('INVALID_OPTIONS', `PostgresClaims: ${option}: expected ${expected}, got ${typeof got}`);
}

/** JSON knows no bigint. */
function asText({ id, token, notes }: HeldClaim & { readonly notes?: string | undefined }): { id: string; token: string; notes: string | undefined } {
  return { id, token: String(token), notes };
}
