import { onNextTurn } from '../clock.js';
import { concatenated } from './body.js';
import { isFormType } from './forms.js';

/** A body is read this far before its head goes out. */
const MOST_CHUNKS_AHEAD = 16;
const MOST_BYTES_AHEAD = 64 * 1024;

/**
 * Called when nothing more of a body will be read. It may be called more than once.
 *
 * @param cancelling - settles when the source of the body has been told; it never rejects
 */
export type BodyEnd = (cancelling?: Promise<void>) => void;

type Bytes = Uint8Array<ArrayBuffer>;
type Part = ReadableStreamReadResult<Bytes>;

/** Reads the body of one Response on the sending side. */
export class ResponseBody {
  readonly #reader: ReadableStreamDefaultReader<Bytes>;
  readonly #ahead: Bytes[] = [];
  #aheadBytes = 0;
  /** A read that began before its turn ended. */
  #pending: Promise<Part> | undefined;
  readonly #response: Response;
  #done: BodyEnd | undefined;

  /**
   * @param done - called once, when the body has ended, failed or been cancelled
   * @throws TypeError if there is no body, or somebody else reads it
   */
  constructor(response: Response, done?: BodyEnd) {
    this.#response = response;
    this.#reader = (response.body as ReadableStream<Bytes>).getReader();
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
  cancel(reason: unknown): Promise<void> {
    const cancelling = cancelled(this.#response, this.#reader, reason);
    this.#ended(cancelling);
    return cancelling;
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
    void this.cancel(error);
    return error;
  }

  #ended(cancelling?: Promise<void>): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(cancelling);
  }
}

/** Cancels a body that will not be read. Never throws. */
export function discardBody(response: Response, done: BodyEnd = () => {}): void {
  let body: Response['body'] | undefined;
  try {
    ({ body } = response);
  } catch {
    // It only looks like a Response.
  }
  if (body === null || body === undefined) return done();
  // A turn later, because a form that was made in this turn may not be full yet.
  const cancelling = new Promise<void>(onNextTurn).then(() => cancelled(response, body));
  done(cancelling);
}

/** Never rejects: the source has its own way to report a failure. */
async function cancelled(response: Response, body: Pick<ReadableStream<Bytes>, 'cancel'>, reason?: unknown): Promise<void> {
  try {
    if (!isForm(response)) await body.cancel(reason);
  } catch {
    // It has another reader, or it only looks like a body.
  }
}

/** Whether the runtime has made the body of a FormData. Left alone, such a body becomes garbage. */
function isForm({ url, headers }: Response): boolean {
  try {
    return !url && isFormType(headers);
  } catch {
    return false;
  }
}

/** Also for bytes of another realm. */
function isBytes(value: unknown): value is Bytes {
  return typeof value === 'object' && value !== null && (value as Partial<Bytes>)[Symbol.toStringTag] === 'Uint8Array';
}

function notBytes(): TypeError {
  return new TypeError('The body of the Response has a chunk that is not a Uint8Array.');
}
