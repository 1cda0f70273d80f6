import { ConnectionError } from '../../errors.js';
import type {
  Claim, ClaimCallOptions, ClaimRequest, ClaimStore, HeldClaim, ReleaseRequest, RenewRequest, RenewResult,
} from '../../exclusive/claims/contract.js';
import { CLAIM, RELEASE, RENEW } from './claims-scripts.js';

/** What sends any command: ioredis has `call`, node-redis has `sendCommand`. The caller owns it. */
export type RedisCommandClient =
  | { call(command: string, ...args: string[]): Promise<unknown> }
  | { sendCommand(args: readonly string[]): Promise<unknown> };

/** Options of {@link RedisClaims}. */
export interface RedisClaimsOptions {
  /** An ioredis or node-redis client that reaches the primary. */
  readonly client: RedisCommandClient;
  /**
   * Begins every key; its `{…}` keeps them in one slot of a cluster. Runners with different lists need different
   * prefixes. Default `hydrant:{claims}:`.
   */
  readonly prefix?: string;
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
  readonly #send: (args: string[]) => Promise<unknown>;
  readonly #prefix: string;

  /** @throws ConnectionError `INVALID_OPTIONS` */
  constructor({ client, prefix = 'hydrant:{claims}:' }: RedisClaimsOptions) {
    this.#send = commands(client);
    if (typeof prefix !== 'string' || !/\{[^}]+\}/.test(prefix)) {
      throw new ConnectionError('INVALID_OPTIONS', `RedisClaims: prefix: expected text with a hash tag, such as 'hydrant:{claims}:', got ${typeof prefix === 'string' ? JSON.stringify(prefix) : typeof prefix}`);
    }
    this.#prefix = prefix;
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
    const args = [replica, leave ? '1' : '0', `${this.#prefix}released`, hint, ...claims.flatMap((claim) => {
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
    return this.#send(['EVAL', script, String(keys.length), ...keys, ...args]);
  }
}

function fields({ id, token, notes }: HeldClaim & { readonly notes?: string | undefined }): string[] {
  return [id, String(token), notes === undefined ? '0' : '1', notes ?? ''];
}

function pairs(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index]!, flat[2 * index + 1]!]);
}

function commands(client: RedisCommandClient): (args: string[]) => Promise<unknown> {
  // ioredis has a sendCommand as well, which takes something else.
  if (typeof client === 'object' && client !== null && 'call' in client) return ([command, ...args]) => client.call(command!, ...args);
  if (typeof client === 'object' && client !== null && 'sendCommand' in client) return (args) => client.sendCommand(args);
  throw new ConnectionError('INVALID_OPTIONS', `RedisClaims: client: expected an ioredis or node-redis client, got ${typeof client}`);
}
