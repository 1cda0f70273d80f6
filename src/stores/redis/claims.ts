import { check, describe, text, unexpected } from '../../checks.js';
import { systemClock } from '../../clock.js';
import type {
  Claim, ClaimCallOptions, ClaimHint, ClaimRequest, ClaimStore, ReleasedClaim, ReleaseRequest, RenewRequest, RenewResult,
} from '../../exclusive/claims/contract.js';
import { checkedForgetting } from '../forgetting.js';
import { claimHintOf, MISSED_RELEASES, releaseEntries } from '../hints.js';
import { watchTuning } from '../subscribing.js';
import { CLAIM, FORGET, RELEASE, RENEW } from './claims-scripts.js';
import { adapt, pairs, type RedisClient } from './client.js';
import { RedisConnection } from './connection.js';
import { EvictionPolicy } from './eviction-policy.js';
import { listen, type RedisWatchOptions } from './listening.js';
import { randomName } from './random-name.js';

/** Options of {@link RedisClaims}. */
export interface RedisClaimsOptions extends RedisWatchOptions {
  /** An ioredis client or Cluster, or a connected node-redis client, pool or cluster. It must reach the primary. */
  readonly client: RedisClient;
  /**
   * The prefix of all keys and the channel. The text in braces keeps the keys on one node of a cluster. Runners with
   * different lists need different prefixes. Default `{hydrant}:claims:`.
   */
  readonly prefix?: string;
  /** A claim's key is deleted this many milliseconds after the claim expired. Default 30 days. */
  readonly forgetAfterMs?: number;
}

/** Rows that one script looks at. A script blocks the server, and arguments are spread on the stack. */
const CHUNK = 1_000;
/** The longest wait of a command for its answer: a share of the TTL between two bounds. */
const TIMEOUT = { shareOfTtl: 1 / 5, leastMs: 500, mostMs: 5_000 };

/**
 * Claims in Redis (6.2 or later). Each call is one script per thousand connections. Claims expire by the server's clock.
 *
 * Redis may lose writes that it has acknowledged: in an asynchronous failover, with `appendfsync everysec`, in a
 * restart without persistence, by FLUSHALL. Then two owners may overlap until the first one's next heartbeat, and only
 * the fencing token tells them apart. Tokens rise even then, unless the new server's clock is behind. A server that
 * evicts keys without a time to live (`maxmemory-policy allkeys-*`) is refused. If that is not good enough, use
 * `PostgresClaims`.
 *
 * @example
 * const claims = new RedisClaims({ client: new Redis(url) });
 */
export class RedisClaims implements ClaimStore {
  /** Subscribes to releases; absent with `watch: false`, and on a client that cannot be duplicated. */
  readonly watch?: (listener: (hint: ClaimHint) => void) => Promise<AsyncDisposable>;
  readonly #redis: RedisConnection;
  readonly #prefix: string;
  readonly #forgetAfterMs: number;
  readonly #evictionPolicy: EvictionPolicy;
  #timeoutMs = TIMEOUT.mostMs;

  /** @throws ConnectionError `INVALID_OPTIONS` */
  constructor(options: RedisClaimsOptions) {
    const { client, prefix = '{hydrant}:claims:', watch, clock = systemClock, onWatchError: onError } = options;
    const adapted = adapt(client);
    if (adapted === undefined) throw unexpected('RedisClaims: client', 'an ioredis or node-redis client', describe(client));
    check('RedisClaims', text('text with a hash tag in braces', (given) => /\{[^}]+\}/.test(given)), prefix, 'prefix');
    const forgetAfterMs = checkedForgetting('RedisClaims', options.forgetAfterMs);
    const tuning = watch === false ? undefined : watchTuning('RedisClaims', watch, 'false or an object');
    const redis = this.#redis = new RedisConnection(adapted, clock);
    this.#prefix = prefix;
    this.#forgetAfterMs = forgetAfterMs;
    this.#evictionPolicy = new EvictionPolicy(redis, `${prefix}epoch`);
    const { duplicate } = adapted;
    if (tuning === undefined || duplicate === undefined) return;
    const keys = { scope: `${prefix}scope`, counter: `${prefix}hints`, channel: `${prefix}released` };
    this.watch = (listener) => listen({ ...tuning, clock, onError, redis, duplicate, keys }, {
      changed: (entries) => listener(claimHintOf(entries)),
      gap: () => listener(MISSED_RELEASES),
    });
  }

  async renew(request: RenewRequest, options?: ClaimCallOptions): Promise<RenewResult> {
    const { replica, ttlMs, member, load, held } = request;
    this.#expect(ttlMs);
    const lost = new Set<string>();
    const unknown = new Set<string>();
    let members: string[] = [];
    let owned: string[] = [];
    let forgettable: string[] = [];
    for (const { claims, isLast } of chunksOf(held)) {
      const before = isLast ? String(held.length - claims.length - lost.size - unknown.size) : '';
      const args = [String(ttlMs), before, member ? '1' : '0', String(load), String(this.#forgetAfterMs)];
      args.push(...claims.map(({ token }) => String(token)));
      claims.forEach(({ notes }, index) => { if (notes !== undefined) args.push(String(index + 1), notes); });
      const answer = await this.#run(RENEW, replica, claims, args, options) as RenewAnswer;
      for (const n of answer[0]) lost.add(claims[n - 1]!.id);
      for (const n of answer[1]) unknown.add(claims[n - 1]!.id);
      [, , members = [], owned = [], forgettable = []] = answer;
    }
    if (forgettable.length > 0) this.#forget(replica, forgettable);
    const known = new Set(held.map(({ id }) => id));
    return {
      renewed: held.map(({ id }) => id).filter((id) => !lost.has(id) && !unknown.has(id)),
      lost: [...lost],
      strays: pairs(owned).filter(([id]) => !known.has(id)).map(([id, token]) => ({ id, token: BigInt(token) })),
      members: pairs(members).map(([name, count]) => ({ replica: name, load: Number(count) })),
    };
  }

  /** Ids offered to this replica come first among each thousand. */
  async claim({ replica, ttlMs, ids, limit, freeForMs }: ClaimRequest, options?: ClaimCallOptions): Promise<readonly Claim[]> {
    this.#expect(ttlMs);
    await this.#evictionPolicy.refuse({ timeoutMs: this.#timeoutMs, signal: options?.signal });
    const taken: Claim[] = [];
    for (const { claims } of chunksOf(ids.map((id) => ({ id })))) {
      if (taken.length >= limit) break;
      const args = [String(ttlMs), String(limit - taken.length), String(freeForMs)];
      const answer = await this.#run(CLAIM, replica, claims, args, options) as [string, string, string | null][];
      for (const [id, token, notes] of answer) taken.push({ id, token: BigInt(token), notes: notes ?? undefined });
    }
    return taken;
  }

  async release({ replica, claims: released, leave }: ReleaseRequest, options?: ClaimCallOptions): Promise<void> {
    for (const { claims, isLast } of chunksOf(released)) {
      const leaves = leave && isLast;
      const hint = JSON.stringify(releaseEntries({ replica, leave: leaves }));
      const args = ['0', leaves ? '1' : '0', `${this.#prefix}released`, randomName(), hint, ...claims.flatMap(fields)];
      await this.#run(RELEASE, replica, claims, args, options);
    }
  }

  /** Nothing waits for it: rows that are not forgotten now are found again at a later heartbeat. */
  #forget(replica: string, ids: readonly string[]): void {
    this.#run(FORGET, replica, ids.map((id) => ({ id })), ['0', String(this.#forgetAfterMs)]).catch(() => {});
  }

  /** With a short TTL an answer is needed sooner. */
  #expect(ttlMs: number): void {
    this.#timeoutMs = Math.max(TIMEOUT.leastMs, Math.min(TIMEOUT.mostMs, ttlMs * TIMEOUT.shareOfTtl));
  }

  #run(
    script: string, replica: string, rows: readonly { readonly id: string }[], args: readonly string[],
    { signal }: ClaimCallOptions = {},
  ): Promise<unknown> {
    const fixed = ['epoch', 'members', 'loads', `owned:${replica}`, 'seen', 'scope', 'hints'];
    const keys = [...fixed, ...rows.map(({ id }) => `claim:${id}`)].map((name) => this.#prefix + name);
    const timeoutMs = this.#timeoutMs;
    return this.#redis.send((commands) => commands.eval(script, keys, [replica, ...args]), { timeoutMs, signal });
  }
}

/** Which rows of the chunk are lost or unknown, by number; then members, owned ids, and ids to forget. */
type RenewAnswer = [number[], number[], string[]?, string[]?, string[]?];

/** Parts of at most {@link CHUNK}; one that is empty when there are none. */
function* chunksOf<T>(claims: readonly T[]): Generator<{ readonly claims: readonly T[]; readonly isLast: boolean }> {
  for (let from = 0; from === 0 || from < claims.length; from += CHUNK) {
    yield { claims: claims.slice(from, from + CHUNK), isLast: from + CHUNK >= claims.length };
  }
}

function fields({ token, notes, offer }: ReleasedClaim): string[] {
  const to = offer !== undefined && 'to' in offer ? offer.to : '';
  const notTo = offer !== undefined && 'notTo' in offer ? offer.notTo : '';
  return [String(token), notes === undefined ? '0' : '1', notes ?? '', to, notTo, offer === undefined ? '' : String(offer.forMs)];
}
