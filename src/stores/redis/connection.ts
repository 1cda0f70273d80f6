import type { Clock } from '../../clock.js';
import { ConnectionError } from '../../errors.js';
import type { AdaptedClient, Commands, OwnConnection } from './client.js';

/** After a blocked event loop, answers that have arrived are read a moment after the deadline's timer. */
const GRACE_MS = 1;

export interface CommandOptions {
  /** The command fails if it is not answered within this time. */
  readonly timeoutMs: number;
  /** If it is aborted, nothing is sent. */
  readonly signal?: AbortSignal | undefined;
}

/** One connection to Redis, and the commands that wait for it. */
interface Line {
  readonly commands: Commands;
  readonly own: OwnConnection | undefined;
  readonly waiting: Set<(error: unknown) => void>;
  /** The number of commands that Redis has answered on it. */
  answers: number;
}

/**
 * Sends commands, each with its own deadline. It recovers from a connection that went silent without a reset, and needs
 * no option of the driver for that. If a deadline passes and nothing was answered since the command was sent, the
 * connection counts as dead. Its other commands fail at once, and the next command uses a new connection.
 *
 * The first connection is the caller's client, which is left alone. Every later one is a duplicate that ends with it.
 */
export class RedisConnection {
  readonly #client: AdaptedClient;
  readonly #clock: Clock;
  readonly #first: Line;
  #line: Line | undefined;
  #followsEnd = false;

  constructor(client: AdaptedClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
    this.#line = this.#first = line(client, undefined);
  }

  /** @throws ConnectionError `STORE_UNAVAILABLE` when Redis did not answer in time */
  send<T>(command: (commands: Commands) => Promise<T>, { timeoutMs, signal }: CommandOptions): Promise<T> {
    signal?.throwIfAborted();
    const sentOn = this.#line ??= this.#open();
    const answersBefore = sentOn.answers;
    return new Promise<T>((resolve, reject) => {
      const fail = (error: unknown): void => {
        sentOn.waiting.delete(fail);
        reject(error as Error);
      };
      sentOn.waiting.add(fail);
      const cancel = this.#afterDeadline(timeoutMs, () => {
        const error = new ConnectionError('STORE_UNAVAILABLE', `Redis did not answer within ${timeoutMs} ms`);
        fail(error);
        if (sentOn.answers === answersBefore) this.#replace(sentOn, error);
      });
      command(sentOn.commands).then((answer) => {
        sentOn.answers += 1;
        sentOn.waiting.delete(fail);
        cancel();
        resolve(answer);
      }, (error: unknown) => {
        // Other errors, such as a time-out of the driver, leave the judgement of the connection to the deadline.
        if (isReply(error)) {
          sentOn.answers += 1;
          cancel();
        }
        fail(error);
      });
    });
  }

  /** Calls `judge` once the deadline has passed and everything that had arrived by then was read. */
  #afterDeadline(timeoutMs: number, judge: () => void): () => void {
    let cancel = this.#clock.setTimeout(() => {
      cancel = this.#clock.setTimeout(judge, GRACE_MS, { ref: false });
    }, timeoutMs, { ref: false });
    return () => cancel();
  }

  #open(): Line {
    // A loss needs no handling: the driver reconnects, and otherwise the next deadline passes.
    const own = this.#client.duplicate!(() => {});
    return line(own, own);
  }

  #replace(dead: Line, error: unknown): void {
    if (this.#line !== dead || this.#client.duplicate === undefined || this.#client.isEnded()) return;
    this.#line = undefined;
    for (const fail of dead.waiting) fail(error);
    dead.own?.end();
    if (this.#followsEnd) return;
    this.#followsEnd = true;
    this.#client.onEnd(() => {
      this.#line?.own?.end();
      this.#line = this.#first;
    });
  }
}

const line = (commands: Commands, own: OwnConnection | undefined): Line => ({ commands, own, waiting: new Set(), answers: 0 });

/**
 * Whether Redis itself refused the command. Its errors begin with a word in capitals
 * (https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors).
 */
export function isReply(error: unknown): boolean {
  return error instanceof Error && /^-?[A-Z]{2,} /.test(error.message);
}
