import { systemClock, type Clock } from '../../clock.js';
import { ConnectionError } from '../../errors.js';
import { whenAborted } from '../../when-aborted.js';
import type { PostgresClient } from './client.js';

/** How one query is sent. */
export interface QueryOptions {
  /** Gives the query up. */
  readonly signal?: AbortSignal | undefined;
  /** Overrides the deadline of the database. Infinity: none. */
  readonly timeoutMs?: number;
}

/** The part of a `pg` Pool's connection that hydrant uses. */
interface PooledConnection extends PostgresClient {
  release(destroy?: boolean): void;
  on?(event: 'error', listener: () => void): unknown;
  off?(event: 'error', listener: () => void): unknown;
}

/** A `pg` Pool shows its connections, so one that hangs can be closed. */
interface Pool extends PostgresClient {
  readonly totalCount: number;
  readonly idleCount: number;
  connect(): Promise<PooledConnection>;
}

const isPool = (client: PostgresClient): client is Pool =>
  'connect' in client && typeof client.connect === 'function' && 'idleCount' in client && typeof client.idleCount === 'number';

/**
 * Sends queries, each with a deadline. A query that misses it is given up. With a `pg` Pool, its connection is closed, and
 * so are the pool's idle ones, because a silent network has usually silenced them too and each would cost another deadline.
 * Other clients show no connections, so hydrant can only stop waiting.
 */
export class Database {
  readonly #client: PostgresClient;
  readonly #timeoutMs: number;
  readonly #clock: Clock;

  constructor(client: PostgresClient, timeoutMs: number, clock: Clock = systemClock) {
    this.#client = client;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
  }

  /** Resolves after this many milliseconds. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.setTimeout(resolve, ms, { ref: true }));
  }

  /** @throws ConnectionError `STORE_UNAVAILABLE` after the deadline; the signal's reason when it aborts */
  async query<Row>(
    text: string,
    values: unknown[] = [],
    { signal, timeoutMs = this.#timeoutMs }: QueryOptions = {},
  ): Promise<readonly Row[]> {
    signal?.throwIfAborted();
    const attempt = isPool(this.#client) ? new PooledQuery(this.#client) : new PlainQuery(this.#client);
    return await new Promise((resolve, reject) => {
      const giveUp = (reason: unknown): void => {
        settled();
        attempt.giveUp();
        reject(reason as Error);
      };
      const forget = signal === undefined ? undefined : whenAborted(signal, () => giveUp(signal.reason));
      const cancel =
        timeoutMs === Infinity
          ? undefined
          : this.#clock.setTimeout(
              () => giveUp(new ConnectionError('STORE_UNAVAILABLE', `PostgreSQL did not answer within ${timeoutMs} ms`)),
              timeoutMs,
              { ref: true },
            );
      const settled = (): void => {
        cancel?.();
        forget?.();
      };
      attempt
        .send(text, values)
        .then(
          (result) => {
            settled();
            resolve(rowsOf(result) as readonly Row[]);
          },
          (error: unknown) => {
            settled();
            reject(error as Error);
          },
        )
        .catch(reject);
    });
  }
}

function rowsOf(result: unknown): readonly unknown[] {
  if (Array.isArray(result)) return result;
  const rows = (result as { rows?: unknown } | null | undefined)?.rows;
  if (Array.isArray(rows)) return rows;
  throw new TypeError('The PostgreSQL client resolved query() to neither rows nor { rows }');
}

/**
 * Returns the row. Some clients rename columns by an option (`postgres.pascal`), and every connection would be unknown.
 *
 * @throws TypeError when the row has no such column
 */
export function withColumn<Row extends object>(row: Row, name: string): Row {
  if (name in row) return row;
  throw new TypeError(`The PostgreSQL client has renamed the column "${name}": give hydrant one that keeps names`);
}

class PlainQuery {
  readonly #client: PostgresClient;

  constructor(client: PostgresClient) {
    this.#client = client;
  }

  async send(text: string, values: unknown[]): Promise<unknown> {
    return await this.#client.query(text, values);
  }

  giveUp(): void {}
}

/*
 * States: connecting (no connection yet), sent (it has one), over (released, or given up). A connection that arrives
 * after the query was given up goes back unused.
 */
class PooledQuery {
  readonly #pool: Pool;
  #connection: PooledConnection | undefined;
  #over = false;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async send(text: string, values: unknown[]): Promise<unknown> {
    const connection = await this.#pool.connect();
    if (this.#over) return connection.release();
    this.#connection = connection;
    // A lost connection also emits 'error', which ends the process if nothing listens.
    connection.on?.('error', ignore);
    try {
      const result = await connection.query(text, values);
      this.#release(false);
      return result;
    } catch (error) {
      this.#release(!isAnswer(error));
      throw error;
    }
  }

  giveUp(): void {
    this.#release(true);
    this.#over = true;
    for (let idle = this.#pool.idleCount; idle > 0; idle -= 1)
      this.#pool.connect().then((connection) => connection.release(true), ignore);
  }

  #release(destroy: boolean): void {
    const connection = this.#connection;
    if (this.#over || connection === undefined) return;
    this.#over = true;
    // A destroyed one may still emit.
    if (!destroy) connection.off?.('error', ignore);
    connection.release(destroy);
  }
}

function ignore(): void {}

/** Whether the server answered with an error about the statement. Then the connection is still good. */
function isAnswer(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state !== undefined && !/^(08|57P|58|XX)/.test(state);
}

/** Tells an SQLSTATE from the codes of Node (`EPIPE`) and of ORMs (`P2010`). */
const SQL_STATE = /^([0-5][0-9A-Z]|F0|HV|P0|XX)[0-9A-Z]{3}$/;

/** The SQLSTATE of an error. Query builders and ORMs wrap the driver's. */
export function sqlStateOf(error: unknown, depth = 0): string | undefined {
  if (typeof error !== 'object' || error === null || depth > 4) return undefined;
  const { code, cause, original, driverError, meta } = error as Record<string, unknown>;
  for (const inner of [cause, original, driverError, meta]) {
    const state = sqlStateOf(inner, depth + 1);
    if (state !== undefined) return state;
  }
  return typeof code === 'string' && SQL_STATE.test(code) ? code : undefined;
}
