import type { Clock } from '../../clock.js';
import type { StoreListener } from '../../contracts/store.js';
import { keepSubscribed, type ListeningAttempt, type SubscribingTuning } from '../subscribing.js';
import type { Redis, Subscriber } from './client.js';
import { PING } from './scripts.js';
import type { RedisKeys } from './store.js';

/** What listening needs. */
export interface RedisSubscribing extends SubscribingTuning {
  readonly redis: Redis;
  readonly subscriber: NonNullable<Redis['subscriber']>;
  readonly keys: RedisKeys;
  readonly clock: Clock;
  readonly onError: ((error: unknown) => void) | undefined;
}

/** Listens on the store's channel until disposed of. */
export function subscribe(options: RedisSubscribing, listener: StoreListener): Promise<AsyncDisposable> {
  return keepSubscribed({ ...options, attempt: (hints, lost) => new Listening(options, hints, lost) }, listener);
}

class Listening implements ListeningAttempt {
  readonly #options: RedisSubscribing;
  readonly #listener: StoreListener;
  readonly #subscriber: Subscriber;
  /** Nobody else's: what is sent there and arrives proves that this connection hears. */
  readonly #ownChannel: string;
  /** The number of the last change it knows of. Clients that reconnect behind our back lose hints without a word. */
  #number: number | undefined;
  #heard: (() => void) | undefined;

  constructor(options: RedisSubscribing, listener: StoreListener, lost: (error: unknown) => void) {
    this.#options = options;
    this.#listener = listener;
    this.#ownChannel = `${options.keys.channel}:${crypto.randomUUID()}`;
    this.#subscriber = options.subscriber([options.keys.channel, this.#ownChannel], (channel, message) => this.#message(channel, message), lost);
  }

  async open(): Promise<void> {
    await this.#subscriber.open();
    await this.check();
  }

  async check(): Promise<void> {
    const heard = new Promise<void>((resolve) => { this.#heard = resolve; });
    await this.#options.redis.eval(PING, [this.#options.keys.counter], [this.#ownChannel]);
    await heard;
  }

  end(): Promise<unknown> {
    return this.#subscriber.end();
  }

  #message(channel: string, message: string): void {
    if (channel === this.#ownChannel) {
      this.#follow(Number(message), 0);
      return this.#heard?.();
    }
    const space = message.indexOf(' ');
    this.#follow(Number(message.slice(0, space)), 1);
    this.#listener.changed([message.slice(space + 1)]);
  }

  /** Changes are told in the order they are numbered. */
  #follow(number: number, step: 0 | 1): void {
    const missed = this.#number !== undefined && number !== this.#number + step;
    this.#number = number;
    if (missed) this.#listener.gap();
  }
}
