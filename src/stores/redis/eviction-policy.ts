import { ConnectionError } from '../../errors.js';
import { MEMORY } from './claims-scripts.js';
import { isReply, type CommandOptions, type RedisConnection } from './connection.js';

/**
 * Refuses a server that may evict claims, because an evicted claim looks free and gets a second owner. Under `volatile-*`
 * Redis evicts keys with a time to live only, and claims have none.
 */
export class EvictionPolicy {
  readonly #redis: RedisConnection;
  readonly #key: string;
  #checked = false;

  constructor(redis: RedisConnection, key: string) {
    this.#redis = redis;
    this.#key = key;
  }

  /**
   * Asks the server until it is known to be safe. A server that does not answer the question passes.
   *
   * @throws ConnectionError `INVALID_OPTIONS`
   */
  async refuse(options: CommandOptions): Promise<void> {
    if (this.#checked) return;
    const memory = await this.#memory(options);
    const policy = /^maxmemory_policy:(allkeys-\w+)/m.exec(memory)?.[1];
    if (policy !== undefined && !/^maxmemory:0\r?$/m.test(memory)) {
      const why = `RedisClaims: expected a server that evicts no claims, got maxmemory-policy ${policy}`;
      throw new ConnectionError('INVALID_OPTIONS', why);
    }
    this.#checked = true;
  }

  async #memory(options: CommandOptions): Promise<string> {
    try {
      return String(await this.#redis.send((commands) => commands.eval(MEMORY, [this.#key], []), options));
    } catch (error) {
      // The user of this client may not be allowed to ask.
      if (isReply(error)) return '';
      throw error;
    }
  }
}
