import type { IoredisClient, IoredisConnection, NodeRedisClient, NodeRedisConnection } from 'hydrant/redis';
import type { FakeRedis } from './fake-redis.js';

/** One connection, with the events of either library. */
export class FakeConnection {
  /** How many messages have arrived. */
  heard = 0;
  channels: readonly string[] = [];
  /** Sends nothing on and answers nothing, like a connection whose other end is gone without a reset. */
  silent = false;
  readonly #server: FakeRedis;
  readonly #listeners: [string, (...values: never[]) => void][] = [];

  constructor(server: FakeRedis) {
    this.#server = server;
  }

  async run<T>(command: (server: FakeRedis) => T): Promise<T> {
    return this.silent ? new Promise<never>(() => {}) : command(this.#server);
  }

  async subscribe(...channels: string[]): Promise<void> {
    await this.run(() => { this.channels = channels; });
  }

  hear(channel: string, message: unknown): void {
    if (this.silent) return;
    this.heard += 1;
    this.emit('message', channel, message);
  }

  on(event: string, listener: (...values: never[]) => void): void {
    this.#listeners.push([event, listener]);
  }

  emit(event: string, ...values: unknown[]): void {
    for (const [name, listener] of this.#listeners) if (name === event) listener(...values as never[]);
  }

  end(): void {
    this.channels = [];
    this.#server.connections.delete(this);
  }
}

/** A client, and the connection it has itself. */
export interface FakeClient<C> {
  readonly client: C;
  readonly connection: FakeConnection;
}

function opened(server: FakeRedis): FakeConnection {
  const connection = new FakeConnection(server);
  server.connections.add(connection);
  return connection;
}

const ioredisCommands = (connection: FakeConnection): Pick<IoredisClient, 'hmget' | 'eval'> => ({
  hmget: (key, ...fields) => connection.run((server) => server.hmget(key, fields)),
  eval: (script, keys, ...rest) => connection.run((server) => server.eval(script, rest.slice(0, keys), rest.slice(keys))),
});

export function fakeIoredis(server: FakeRedis): FakeClient<IoredisClient & { status: string }> {
  const connection = new FakeConnection(server);
  const client = {
    ...ioredisCommands(connection), status: 'ready',
    on: (event: 'end', listener: () => void) => connection.on(event, listener),
    duplicate(): IoredisConnection {
      const own = opened(server);
      return {
        ...ioredisCommands(own),
        on: (event: string, listener: (...values: never[]) => void) => own.on(event, listener),
        subscribe: (...channels) => own.subscribe(...channels),
        disconnect: () => own.end(),
      };
    },
  };
  return { client, connection };
}

const nodeRedisCommands = (connection: FakeConnection, ready = () => true): Pick<NodeRedisClient, 'hmGet' | 'eval'> => {
  const run = async <T>(command: (server: FakeRedis) => T): Promise<T> => {
    if (!ready()) throw new Error('The client is closed');
    return connection.run(command);
  };
  return {
    hmGet: (key, fields) => run((server) => server.hmget(key, fields)),
    eval: (script, options) => run((server) => server.eval(script, options.keys, options.arguments)),
  };
};

/** Its duplicates connect on demand, and messages go to the listener that was passed to `subscribe`. */
export function fakeNodeRedis(server: FakeRedis): FakeClient<NodeRedisClient & { isOpen: boolean }> {
  const connection = new FakeConnection(server);
  const client = {
    ...nodeRedisCommands(connection), isOpen: true,
    on: (event: string, listener: () => void) => connection.on(event, listener),
    duplicate(): NodeRedisConnection {
      const own = opened(server);
      let isConnected = false;
      return {
        ...nodeRedisCommands(own, () => isConnected),
        async connect() { isConnected = true; },
        async subscribe(channels, listener) {
          if (!isConnected) throw new Error('The client is closed');
          own.on('message', (channel: string, message: string) => listener(message, channel));
          await own.subscribe(...channels);
        },
        on: (event, listener) => own.on(event, listener),
        destroy() {
          if (!server.connections.has(own)) throw new Error('The client is closed');
          own.end();
        },
      };
    },
  };
  return { client, connection };
}

/** The two kinds of client. */
export const CLIENTS = {
  'ioredis': (server: FakeRedis) => fakeIoredis(server).client,
  'node-redis': (server: FakeRedis) => fakeNodeRedis(server).client,
};
