import type { PostgresListenClient } from 'hydrant/postgres';

/** A LISTEN connection as `pg` makes them, on a server that can fail on demand. */
export class FakeConnection implements PostgresListenClient {
  readonly queries: string[] = [];
  ended = false;
  readonly #listeners = new Map<string, ((value: never) => void)[]>();
  readonly #server: FakeServer;

  constructor(server: FakeServer) {
    this.#server = server;
    server.connections.push(this);
  }

  on(event: string, listener: (value: never) => void): void {
    this.#listeners.set(event, [...this.#listeners.get(event) ?? [], listener]);
  }

  emit(event: string, value?: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(value as never);
  }

  async connect(): Promise<void> {
    await this.#server.answer('connect');
  }

  async query(text: string): Promise<void> {
    this.queries.push(text);
    await this.#server.answer('query');
  }

  async end(): Promise<void> {
    this.ended = true;
    await this.#server.answer('end');
  }
}

/** The server of such connections. */
export class FakeServer {
  readonly connections: FakeConnection[] = [];
  deaf = false;
  down: 'refuses' | 'hangs' | undefined;

  async answer(what: string): Promise<void> {
    if (this.down === 'hangs') await new Promise(() => {});
    if (this.down === 'refuses' && what !== 'end') throw new Error('ECONNREFUSED');
  }

  /** Sends a notification of another connection. */
  async notify(channel: string): Promise<{ rows: [] }> {
    await this.answer('query');
    for (const connection of this.connections) {
      if (!this.deaf && connection.queries[0]?.includes(`"${channel}"`) === true)
        connection.emit('notification', { channel, payload: '' });
    }
    return { rows: [] };
  }

  get last(): FakeConnection {
    return this.connections.at(-1) as FakeConnection;
  }
}
