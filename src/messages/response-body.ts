import { onNextTurn } from '../clock.js';
import { concatenated } from './body.js';

/** A body is read this far before its head goes out. */
const MOST_CHUNKS_AHEAD = 16;
const MOST_BYTES_AHEAD = 64 * 1024;

type Bytes = Uint8Array<ArrayBuffer>;
type Part = ReadableStreamReadResult<Bytes>;

/** Reads the body of one Response, for the side that sends it. */
export class ResponseBody {
  readonly #reader: ReadableStreamDefaultReader<Bytes>;
  readonly #ahead: Bytes[] = [];
  #aheadBytes = 0;
  /** A read that began before its turn ended. */
  #pending: Promise<Part> | undefined;
  #done: (() => void) | undefined;

  /**
   * @param done - called once, when the body has ended, failed or been cancelled
   * @throws TypeError if somebody else reads the body
   */
  constructor(body: ReadableStream<Bytes>, done?: () => void) {
    this.#reader = body.getReader();
    this.#done = done;
  }

  /**
   * Reads until the end of this turn of the event loop, at most 16 chunks or 64 KiB.
   *
   * @returns the whole body, if it ended in that time
   * @throws the error of the body, and TypeError for a chunk that is not bytes
   */
  readAhead(): Promise<Bytes | undefined> {
    return new Promise((resolve, reject) => {
      let isTurnOver = false;
      onNextTurn(() => {
        if (isTurnOver) return;
        isTurnOver = true;
        resolve(undefined);
      });
      const fail = (error: unknown): void => {
        if (isTurnOver) return;
        isTurnOver = true;
        reject(this.#failed(error));
      };
      const take = (part: Part): void => {
        if (isTurnOver) return;
        this.#pending = undefined;
        if (!part.done && isBytes(part.value)) {
          this.#ahead.push(part.value);
          this.#aheadBytes += part.value.byteLength;
          if (this.#ahead.length < MOST_CHUNKS_AHEAD && this.#aheadBytes < MOST_BYTES_AHEAD) return read();
        } else if (!part.done) {
          return fail(notBytes());
        }
        isTurnOver = true;
        if (part.done) this.#ended();
        resolve(part.done ? this.#taken() : undefined);
      };
      const read = (): void => {
        this.#pending = this.#reader.read();
        this.#pending.then(take, fail);
      };
      read();
    });
  }

  /**
   * The next chunk; `undefined` at the end.
   *
   * @throws the error of the body, and TypeError for a chunk that is not bytes
   */
  async next(): Promise<Bytes | undefined> {
    const ahead = this.#ahead.shift();
    if (ahead !== undefined) return ahead;
    const reading = this.#pending ?? this.#reader.read();
    this.#pending = undefined;
    let part: Part;
    try {
      part = await reading;
      if (!part.done && !isBytes(part.value)) throw notBytes();
    } catch (error) {
      throw this.#failed(error);
    }
    if (part.done) this.#ended();
    return part.value;
  }

  /** Stops reading and tells the source. Never rejects. */
  async cancel(reason: unknown): Promise<void> {
    try {
      await this.#reader.cancel(reason);
    } catch {
      // The source has its own way to report that.
    }
    this.#ended();
  }

  /** The chunks that are left, one at a time as they are asked for. */
  stream(): ReadableStream<Bytes> {
    return new ReadableStream<Bytes>({
      pull: async (controller) => {
        const chunk = await this.next();
        if (chunk === undefined) controller.close();
        else controller.enqueue(chunk);
      },
      cancel: (reason) => this.cancel(reason),
    }, { highWaterMark: 0 });
  }

  #taken(): Bytes {
    const [first] = this.#ahead;
    return this.#ahead.length === 1 && first !== undefined ? first : concatenated(this.#ahead, this.#aheadBytes);
  }

  #failed(error: unknown): unknown {
    this.#reader.cancel(error).catch(() => {});
    this.#ended();
    return error;
  }

  #ended(): void {
    const done = this.#done;
    this.#done = undefined;
    done?.();
  }
}

/** Cancels a body nobody will read, then calls `done`. Never throws. */
export function discardBody(response: Response, done?: () => void): void {
  void cancelled(response).catch(() => {}).finally(done);
}

async function cancelled(response: Response): Promise<void> {
  await response.body?.cancel();
}

/** Also for bytes of another realm. */
function isBytes(value: unknown): value is Bytes {
  return typeof value === 'object' && value !== null && (value as Partial<Bytes>)[Symbol.toStringTag] === 'Uint8Array';
}

function notBytes(): TypeError {
  return new TypeError('The body of the Response has a chunk that is not a Uint8Array.');
}
