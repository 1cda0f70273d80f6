import { systemClock, type Clock } from '../../clock.js';
import type { StoreListener } from '../../contracts/store.js';
import { parseHint } from '../hints.js';
import { keepSubscribed, type ListeningAttempt, type SubscribingTuning } from '../subscribing.js';
import type { PostgresListenClient } from './client.js';
import type { Database } from './database.js';
import { identifier } from './quoting.js';

/** The settings of LISTEN. */
export interface PostgresSubscribing extends SubscribingTuning {
  readonly database: Database;
  readonly listenClient: () => PostgresListenClient | Promise<PostgresListenClient>;
  readonly channel: string;
  readonly onError: ((error: unknown) => void) | undefined;
  readonly clock: Clock | undefined;
}

/** Listens on the store's channel until disposed of. */
export function subscribe(options: PostgresSubscribing, listener: StoreListener): Promise<AsyncDisposable> {
  return keepSubscribed({
    ...options,
    clock: options.clock ?? systemClock,
    attempt: (hints, lost) => new Listening(options, hints, lost),
  }, listener);
}

class Listening implements ListeningAttempt {
  readonly #options: PostgresSubscribing;
  readonly #listener: StoreListener;
  readonly #lost: (error: unknown) => void;
  /** A channel of this connection alone. A message that arrives there proves that the connection works. */
  readonly #ownChannel = `hydrant_ping_${crypto.randomUUID()}`;
  /** Gives up the check under way, and with it the connection that it hangs on. */
  readonly #ending = new AbortController();
  #client: PostgresListenClient | undefined;
  #ended = false;
  #heard: (() => void) | undefined;

  constructor(options: PostgresSubscribing, listener: StoreListener, lost: (error: unknown) => void) {
    this.#options = options;
    this.#listener = listener;
    this.#lost = lost;
  }

  async open(): Promise<void> {
    const client = await this.#options.listenClient();
    if (this.#ended) return void await client.end();
    this.#client = client;
    client.on('error', this.#lost);
    client.on('end', () => this.#lost(new Error('The LISTEN connection ended')));
    client.on('notification', ({ channel, payload }) => this.#notified(channel, payload ?? ''));
    await client.connect();
    await client.query(`listen ${identifier(this.#options.channel)}; listen ${identifier(this.#ownChannel)}`);
    await this.check();
  }

  /**
   * Sent by another connection, as every hint is: behind a pooler in transaction mode, or on another database, queries
   * are answered and even one's own notifications arrive, and hints do not.
   */
  async check(): Promise<void> {
    const heard = new Promise<void>((resolve) => { this.#heard = resolve; });
    const { signal } = this.#ending;
    await this.#options.database.query(`select pg_notify($1, '')::text`, [this.#ownChannel], { signal, timeoutMs: Infinity });
    await heard;
  }

  async end(): Promise<void> {
    this.#ended = true;
    this.#ending.abort(new Error('The LISTEN connection was given up'));
    await this.#client?.end();
  }

  #notified(channel: string, payload: string): void {
    if (channel === this.#ownChannel) return this.#heard?.();
    if (channel !== this.#options.channel) return;
    const ids = parseHint(payload);
    if (ids === undefined) this.#listener.gap();
    else this.#listener.changed(ids);
  }
}
