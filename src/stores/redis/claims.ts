import { systemClock, type Clock } from '../../clock.js';
import { ConnectionError } from '../../errors.js';
import type {
  Claim, ClaimCallOptions, ClaimHint, ClaimRequest, ClaimStore, HeldClaim, ReleaseRequest, RenewRequest, RenewResult,
} from '../../exclusive/claims/contract.js';
import { keepSubscribed, tuningOf } from '../subscribing.js';
import { CLAIM, RELEASE, RENEW } from './claims-scripts.js';
import { ClaimsListening } from './claims-listening.js';
import { adapt, pairs, type Redis, type RedisClient } from './client.js';

/** Options of {@link RedisClaims}. */
export interface RedisClaimsOptions {
  /** An ioredis client or Cluster, or a connected node-redis client, pool or cluster. It must reach the primary. */
  readonly client: RedisClient;
  /**
   * Before the names of all keys and the channel. What stands in braces keeps the keys on one node of a cluster.
   * Runners with different lists need different prefixes. Default `{hydrant}:claims:`.
   */
  readonly prefix?: string;
  /**
   * How the listening connection, a duplicate of `client`, is kept alive; `false` for none: then what is released is
   * taken over at the next tick instead of within milliseconds. Milliseconds, as for `RedisStore`.
   */
  readonly watch?: false | {
    readonly pingIntervalMs?: number;
    readonly timeoutMs?: number;
    readonly backoff?: { readonly initialMs: number; readonly maxMs: number };
  };
  /** Told about every failed attempt to listen; attempts go on. Default: nobody. */
  readonly onWatchError?: (error: unknown) => void;
  /** The source of time for the listening connection. Claims go by the server's clock. Default: the system's. */
  readonly clock?: Clock;
}

/**
 * Claims in Redis (6.2 or later): one script per call. Expiry goes by the server's clock. What Redis has acknowledged
 * it may still lose (asynchronous failover, `appendfsync everysec`): then two owners may overlap until the first one's
 * next heartbeat, and only the fencing token tells them apart; tokens rise even then, unless the new server's clock is
 * behind. Where that is not good enough, use `PostgresClaims`.
 *
 * @example
 * const claims = new RedisClaims({ client: new Redis(url) });
 */
export class RedisClaims implements ClaimStore {
  readonly watch?: (listener: (hint: ClaimHint) => void) => Promise<AsyncDisposable>;
  readonly #redis: Redis;
  readonly #prefix: string;

  /** @throws ConnectionError `INVALID_OPTIONS` */
  constructor({ client, prefix = '{hydrant}:claims:', watch = {}, onWatchError: onError, clock = systemClock }: RedisClaimsOptions) {
    const redis = adapt(client);
    if (redis === undefined) throw invalidOption('client', 'an ioredis or node-redis client', client);
    if (typeof prefix !== 'string' || !/\{[^}]+\}/.test(prefix)) throw invalidOption('prefix', 'text with a hash tag in braces', prefix);
    const tuning = watch === false ? undefined : tuningOf(watch, invalidOption, 'false or an object');
    this.#redis = redis;
    this.#prefix = prefix;
    const { subscriber } = redis;
    if (tuning === undefined || subscriber === undefined) return;
    this.watch = (listener) => keepSubscribed({
      ...tuning, clock, onError,
      attempt: (hints, lost) => new ClaimsListening({ redis, subscriber, channel: this.#channel }, hints, lost),
    }, {
      changed: ([from = '', left]) => listener({ from, left: left === 'left' }),
      gap: () => listener({ from: '', left: false }),
    });
  }

  async renew({ replica, ttlMs, member, load, held }: RenewRequest, options?: ClaimCallOptions): Promise<RenewResult> {
    const args = [replica, String(ttlMs), member ? '1' : '0', String(load), ...held.flatMap(fields)];
    const [renewed, lost, strays, members] = await this.#run(RENEW, replica, held.map(({ id }) => id), args, options) as [string[], string[], string[], string[]];
    return {
      renewed, lost,
      strays: pairs(strays).map(([id, token]) => ({ id, token: BigInt(token) })),
      members: pairs(members).map(([name, count]) => ({ replica: name, load: Number(count) })),
    };
  }

  async claim({ replica, ttlMs, ids, limit, freeForMs }: ClaimRequest, options?: ClaimCallOptions): Promise<readonly Claim[]> {
    const args = [replica, String(ttlMs), String(limit), String(freeForMs), ...ids];
    const taken = await this.#run(CLAIM, replica, ids, args, options) as [string, string, string | null][];
    return taken.map(([id, token, notes]) => ({ id, token: BigInt(token), notes: notes ?? undefined }));
  }

  async release({ replica, claims, leave }: ReleaseRequest, options?: ClaimCallOptions): Promise<void> {
    const hint = JSON.stringify(leave ? [replica, 'left'] : [replica]);
    const args = [replica, leave ? '1' : '0', this.#channel, hint, ...claims.flatMap((claim) => {
      const { offer } = claim;
      const to = offer !== undefined && 'to' in offer ? offer.to : '';
      const notTo = offer !== undefined && 'notTo' in offer ? offer.notTo : '';
      return [...fields(claim), to, notTo, offer === undefined ? '' : String(offer.forMs)];
    })];
    await this.#run(RELEASE, replica, claims.map(({ id }) => id), args, options);
  }

  async #run(script: string, replica: string, ids: readonly string[], args: readonly string[], options: ClaimCallOptions | undefined): Promise<unknown> {
    options?.signal?.throwIfAborted();
    const keys = ['epoch', 'members', 'loads', `owned:${replica}`, ...ids.map((id) => `claim:${id}`)].map((key) => this.#prefix + key);
    return this.#redis.eval(script, keys, args);
  }

  get #channel(): string {
    return `${this.#prefix}released`;
  }
}

function fields({ id, token, notes }: HeldClaim & { readonly notes?: string | undefined }): string[] {
  return [id, String(token), notes === undefined ? '0' : '1', notes ?? ''];
}

function invalidOption(option: string, expected: string, got: unknown): ConnectionError<'INVALID_OPTIONS'> {
  return new ConnectionError('INVALID_OPTIONS', `RedisClaims: ${option}: expected ${expected}, got ${typeof got === 'string' ? JSON.stringify(got) : typeof got}`);
}
