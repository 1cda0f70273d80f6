import type { StoreListener } from '../../contracts/store.js';
import type { ListeningAttempt } from '../subscribing.js';
import type { Redis, Subscriber } from './client.js';

export interface ClaimsListeningOptions {
  readonly redis: Redis;
  readonly subscriber: NonNullable<Redis['subscriber']>;
  readonly channel: string;
}

const PING = `return redis.call('PUBLISH', ARGV[1], '')`;

/** One connection that listens for releases. */
export class ClaimsListening implements ListeningAttempt {
  readonly #options: ClaimsListeningOptions;
  readonly #subscriber: Subscriber;
  /** Nobody else's: what is sent there and arrives proves that this connection hears. */
  readonly #ownChannel: string;
  #heard: (() => void) | undefined;

  constructor(options: ClaimsListeningOptions, listener: StoreListener, lost: (error: unknown) => void) {
    this.#options = options;
    this.#ownChannel = `${options.channel}:${crypto.randomUUID()}`;
    this.#subscriber = options.subscriber([options.channel, this.#ownChannel], (channel, message) => {
      if (channel === this.#ownChannel) this.#heard?.();
      else listener.changed(JSON.parse(message) as string[]);
    }, lost);
  }

  async open(): Promise<void> {
    await this.#subscriber.open();
    await this.check();
  }

  async check(): Promise<void> {
    const heard = new Promise<void>((resolve) => { this.#heard = resolve; });
    await this.#options.redis.eval(PING, [this.#options.channel], [this.#ownChannel]);
    await heard;
  }

  end(): Promise<unknown> {
    return this.#subscriber.end();
  }
}
