/** The commands that hydrant sends through ioredis. */
export interface IoredisCommands {
  hmget(key: string, ...fields: string[]): Promise<readonly (string | null)[]>;
  eval(script: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>;
}

/** An ioredis client or Cluster. The caller owns it. */
export interface IoredisClient extends IoredisCommands {
  duplicate(): IoredisConnection;
  on?(event: 'end', listener: () => void): unknown;
  readonly status?: string;
}

/** A connection of ioredis that hydrant opens for itself. */
export interface IoredisConnection extends IoredisCommands {
  subscribe(...channels: string[]): Promise<unknown>;
  on(event: 'message', listener: (channel: string, message: string) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  disconnect(): unknown;
}

/** The commands that hydrant sends through node-redis. */
export interface NodeRedisCommands {
  hmGet(key: string, fields: string[]): Promise<unknown>;
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** A node-redis client, pool or cluster, connected. The caller owns it. */
export interface NodeRedisClient extends NodeRedisCommands {
  /** A pool has none. Then there is no `watch`, and a silent connection is the pool's to replace. */
  duplicate?(): NodeRedisConnection;
  on?(event: string, listener: () => void): unknown;
  readonly isOpen?: boolean;
}

/** A connection of node-redis that hydrant opens for itself. */
export interface NodeRedisConnection extends NodeRedisCommands {
  connect(): Promise<unknown>;
  subscribe(channels: string[], listener: (message: string, channel: string) => void): Promise<unknown>;
  on(event: string, listener: (reason: unknown) => void): unknown;
  destroy(): unknown;
}

/** A client of either kind. */
export type RedisClient = IoredisClient | NodeRedisClient;

/** Both kinds of client reduced to the commands that hydrant sends. */
export interface Commands {
  hmget(key: string, fields: readonly string[]): Promise<readonly unknown[]>;
  eval(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown>;
}

/** A connection that hydrant opened for itself. */
export interface OwnConnection extends Commands {
  subscribe(channels: readonly string[], heard: (channel: unknown, message: unknown) => void): Promise<unknown>;
  end(): void;
}

/** The caller's client. */
export interface AdaptedClient extends Commands {
  /** Whether the caller has ended it. */
  readonly isEnded: () => boolean;
  readonly onEnd: (listener: () => void) => void;
  /**
   * Opens another connection with the same options. Missing where the client cannot. `lost` is called at every sign of a
   * loss.
   */
  readonly duplicate: ((lost: (error: unknown) => void) => OwnConnection) | undefined;
}

/** Adapts a client. Returns `undefined` for any other object. */
export function adapt(client: RedisClient): AdaptedClient | undefined {
  if (isNodeRedis(client)) return nodeRedis(client);
  return isIoredis(client) ? ioredis(client) : undefined;
}

const has = (client: unknown, ...methods: string[]): boolean => typeof client === 'object' && client !== null
  && methods.every((method) => typeof (client as Record<string, unknown>)[method] === 'function');
const isNodeRedis = (client: RedisClient): client is NodeRedisClient => has(client, 'hmGet', 'eval');
const isIoredis = (client: RedisClient): client is IoredisClient => has(client, 'hmget', 'eval', 'duplicate');

function ioredis(client: IoredisClient): AdaptedClient {
  const commands = (to: IoredisCommands): Commands => ({
    hmget: (key, fields) => to.hmget(key, ...fields),
    eval: (script, keys, args) => to.eval(script, keys.length, ...keys, ...args),
  });
  return {
    ...commands(client),
    isEnded: () => client.status === 'end',
    onEnd: (listener) => void client.on?.('end', listener),
    duplicate(lost) {
      const connection = client.duplicate();
      connection.on('error', lost);
      connection.on('close', () => lost(new Error('The connection closed')));
      return {
        ...commands(connection),
        subscribe(channels, heard) {
          connection.on('message', heard);
          return connection.subscribe(...channels);
        },
        end: () => void connection.disconnect(),
      };
    },
  };
}

function nodeRedis(client: NodeRedisClient): AdaptedClient {
  const commands = (to: NodeRedisCommands, ready?: Promise<unknown>): Commands => ({
    async hmget(key, fields) {
      await ready;
      return await to.hmGet(key, [...fields]) as readonly unknown[];
    },
    async eval(script, keys, args) {
      await ready;
      return to.eval(script, { keys: [...keys], arguments: [...args] });
    },
  });
  return {
    ...commands(client),
    isEnded: () => client.isOpen === false,
    onEnd: (listener) => { for (const event of ['end', 'disconnect']) client.on?.(event, listener); },
    duplicate: typeof client.duplicate !== 'function' ? undefined : (lost) => {
      const connection = (client.duplicate as () => NodeRedisConnection)();
      // node-redis reconnects by itself. These events are its only signs of a loss.
      for (const sign of ['error', 'reconnecting', 'node-error', 'node-reconnecting']) connection.on(sign, lost);
      const ready = connection.connect();
      ready.catch(lost);
      return {
        ...commands(connection, ready),
        async subscribe(channels, heard) {
          await ready;
          await connection.subscribe([...channels], (message, channel) => heard(channel, message));
        },
        end: () => void destroy(connection),
      };
    },
  };
}

/** Older releases throw when there is nothing to destroy. */
async function destroy(connection: NodeRedisConnection): Promise<void> {
  try {
    await connection.destroy();
  } catch {
    // It is gone already.
  }
}

/** Names and values that Redis returns as one flat list. */
export function pairs(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index]!, flat[2 * index + 1]!]);
}
