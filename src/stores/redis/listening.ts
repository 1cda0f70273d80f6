import type { StoreListener } from '../../contracts/store.js';
import { parseHint } from '../hints.js';
import { keepSubscribed, type ListeningAttempt, type SubscribingTuning, type WatchTuning } from '../subscribing.js';
import type { Clock } from '../../clock.js';
import type { OwnConnection } from './client.js';
import type { RedisConnection } from './connection.js';
import { randomName } from './random-name.js';

/** The options for hints that `RedisStore` and `RedisClaims` have in common. */
export interface RedisWatchOptions {
  /** Settings that keep the listening connection, a duplicate of `client`, alive. `false`: no such connection. */
  readonly watch?: false | WatchTuning;
  /** Called when a subscription was lost or could not be made again. hydrant goes on trying. Default: none. */
  readonly onWatchError?: (error: unknown) => void;
  /** The source of time for deadlines and for `watch`. Claims expire by the server's clock. Default: the system's. */
  readonly clock?: Clock;
}

/**
 * The keys behind a channel of hints. They tell apart two databases and two key prefixes of one server, which share
 * its channels: `scope` holds a random name that is part of the channel's, and `counter` numbers the hints.
 */
export interface HintKeys {
  readonly scope: string;
  readonly counter: string;
  /** Before the scope in the name of the channel. */
  readonly channel: string;
}

/** Part of every script that sends hints. A scope is made with the first hint, or with the first listener. */
export const HINTING = `
local function scopeOf(key, candidate)
  local scope = redis.call('GET', key)
  if scope then return scope end
  redis.call('SET', key, candidate)
  return candidate
end
local function number(value) return string.format('%.0f', value) end
`;

/** KEYS: scope. ARGV: a scope in case there is none. */
export const SCOPE = `${HINTING}
return scopeOf(KEYS[1], ARGV[1])`;

/** KEYS: scope, counter. ARGV: the listener's own channel. Sends it the scope and the number of the last hint. */
export const PING = `
local scope, last = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
return redis.call('PUBLISH', ARGV[1], cjson.encode({ scope or '-', last or '0' }))`;

export interface RedisListeningOptions extends SubscribingTuning {
  readonly redis: RedisConnection;
  readonly duplicate: (lost: (error: unknown) => void) => OwnConnection;
  readonly keys: HintKeys;
  readonly clock: Clock;
  readonly onError: ((error: unknown) => void) | undefined;
}

/** Listens for hints until disposed of. */
export function listen(options: RedisListeningOptions, listener: StoreListener): Promise<AsyncDisposable> {
  return keepSubscribed({ ...options, attempt: (hints, lost) => new Listening(options, hints, lost) }, listener);
}

class Listening implements ListeningAttempt {
  readonly #options: RedisListeningOptions;
  readonly #listener: StoreListener;
  readonly #lost: (error: unknown) => void;
  /** A channel of this connection alone. A message that arrives there proves that the connection works. */
  readonly #ownChannel: string;
  #connection: OwnConnection | undefined;
  #ended = false;
  #scope = '';
  /** The number of the last hint that it received. Clients that reconnect by themselves lose hints silently. */
  #number: number | undefined;
  #heard: (() => void) | undefined;

  constructor(options: RedisListeningOptions, listener: StoreListener, lost: (error: unknown) => void) {
    this.#options = options;
    this.#listener = listener;
    this.#lost = lost;
    this.#ownChannel = `${options.keys.channel}:ping:${crypto.randomUUID()}`;
  }

  async open(): Promise<void> {
    const { duplicate, keys } = this.#options;
    const scope = await this.#eval(SCOPE, [keys.scope], [randomName()]);
    if (this.#ended) return;
    this.#scope = String(scope);
    const connection = this.#connection = duplicate(this.#lost);
    const channels = [`${keys.channel}:${this.#scope}`, this.#ownChannel];
    await connection.subscribe(channels, (channel, message) => this.#message(channel, message));
    await this.check();
  }

  async check(): Promise<void> {
    const heard = new Promise<void>((resolve) => { this.#heard = resolve; });
    const { scope, counter } = this.#options.keys;
    await this.#eval(PING, [scope, counter], [this.#ownChannel]);
    await heard;
  }

  async end(): Promise<void> {
    this.#ended = true;
    this.#connection?.end();
  }

  #eval(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const { redis, timeoutMs } = this.#options;
    return redis.send((commands) => commands.eval(script, keys, args), { timeoutMs });
  }

  #message(channel: unknown, message: unknown): void {
    const entries = parseHint(message);
    if (channel === this.#ownChannel) this.#ping(entries);
    else this.#hint(entries);
  }

  #ping([scope, number]: readonly string[] = []): void {
    // Redis lost its data: hints of the new scope go to another channel.
    if (scope !== this.#scope) return this.#lost(new Error('Redis has restarted its count of hints'));
    this.#follow(numberOf(number), 0);
    this.#heard?.();
  }

  #hint([first, ...ids]: readonly string[] = []): void {
    if (this.#follow(numberOf(first), 1)) this.#listener.changed(ids);
  }

  /** Hints arrive in the order of their numbers. Returns whether this one had a number at all. */
  #follow(number: number | undefined, step: 0 | 1): boolean {
    const missed = number === undefined || (this.#number !== undefined && number !== this.#number + step);
    // An odd message was sent by another program: the next number still follows the last one.
    if (number !== undefined) this.#number = number;
    if (missed) this.#listener.gap();
    return number !== undefined;
  }
}

const numberOf = (text = ''): number | undefined => (/^\d{1,15}$/.test(text) ? Number(text) : undefined);
