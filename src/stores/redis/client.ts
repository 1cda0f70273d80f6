import type { ListeningAttempt } from '../subscribing.js';

/** What RedisStore needs of an ioredis client, or an ioredis Cluster. The caller owns it. */
export interface IoredisClient {
  hmget(key: string, ...fields: string[]): Promise<readonly (string | null)[]>;
  eval(script: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>;
  duplicate(): IoredisSubscriber;
}

/** A connection of ioredis that listens. */
export interface IoredisSubscriber {
  subscribe(...channels: string[]): Promise<unknown>;
  on(event: 'message', listener: (channel: string, message: string) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  disconnect(): unknown;
}

/** What RedisStore needs of a node-redis client, pool or cluster, connected. The caller owns it. */
export interface NodeRedisClient {
  hmGet(key: string, fields: string[]): Promise<unknown>;
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  /** Without it (a pool has none) there is no `watch`. */
  duplicate?(): NodeRedisSubscriber;
}

/** A connection of node-redis that listens. */
export interface NodeRedisSubscriber {
  connect(): Promise<unknown>;
  subscribe(channels: string[], listener: (message: string, channel: string) => void): Promise<unknown>;
  on(event: string, listener: (reason: unknown) => void): unknown;
  destroy(): unknown;
}

/** A client of either kind. */
export type RedisClient = IoredisClient | NodeRedisClient;

/** The few things that are done with Redis, alike for both kinds of client. */
export interface Redis {
  hmget(key: string, fields: readonly string[]): Promise<readonly unknown[]>;
  eval(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  /** Opens a connection of its own; `undefined` where the client has no way to. */
  readonly subscriber: ((channels: readonly string[], heard: (channel: string, message: string) => void, lost: (error: unknown) => void) => Subscriber) | undefined;
}

/** A connection that listens. */
export type Subscriber = Pick<ListeningAttempt, 'open' | 'end'>;

/** Adapts a client; `undefined` when it is of neither kind. */
export function adapt(client: RedisClient): Redis | undefined {
  if (isNodeRedis(client)) return nodeRedis(client);
  return isIoredis(client) ? ioredis(client) : undefined;
}

const has = (client: unknown, ...methods: string[]): boolean => typeof client === 'object' && client !== null
  && methods.every((method) => typeof (client as Record<string, unknown>)[method] === 'function');
const isNodeRedis = (client: RedisClient): client is NodeRedisClient => has(client, 'hmGet', 'eval');
const isIoredis = (client: RedisClient): client is IoredisClient => has(client, 'hmget', 'eval', 'duplicate');

function ioredis(client: IoredisClient): Redis {
  return {
    hmget: (key, fields) => client.hmget(key, ...fields),
    eval: (script, keys, args) => client.eval(script, keys.length, ...keys, ...args),
    subscriber(channels, heard, lost) {
      const connection = client.duplicate();
      connection.on('message', heard);
      connection.on('error', lost);
      connection.on('close', () => lost(new Error('The subscribing connection closed')));
      return { open: () => connection.subscribe(...channels), end: async () => void connection.disconnect() };
    },
  };
}

function nodeRedis(client: NodeRedisClient): Redis {
  return {
    hmget: (key, fields) => client.hmGet(key, [...fields]) as Promise<readonly unknown[]>,
    eval: (script, keys, args) => client.eval(script, { keys: [...keys], arguments: [...args] }),
    subscriber: typeof client.duplicate !== 'function' ? undefined : (channels, heard, lost) => {
      const connection = (client.duplicate as () => NodeRedisSubscriber)();
      // It would reconnect by itself and say nothing of it: the first sign of that ends it, and another one is made.
      for (const sign of ['error', 'reconnecting', 'node-error', 'node-reconnecting']) connection.on(sign, lost);
      return {
        async open() {
          await connection.connect();
          await connection.subscribe([...channels], (message, channel) => heard(channel, message));
        },
        end: async () => void await connection.destroy(),
      };
    },
  };
}

/** What Redis tells as one list: names and values, by turns. */
export function pairs(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index]!, flat[2 * index + 1]!]);
}
