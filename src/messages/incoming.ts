import { readBody, settled } from './body.js';
import { describing, makeRequest, type RequestHead, type UnreadBody } from './requests.js';

const NOTHING = new Uint8Array();
/** For a Request without a signal. Its type has one, but workers and test doubles do not. */
let never: AbortSignal | undefined;

/** The request of one delivery. Its body is read once, and each function called with it gets a copy. */
export class Incoming {
  #head: RequestHead;
  readonly #unread: Pick<UnreadBody, 'read'> | undefined;
  readonly #maxBodyBytes: number;
  #reading: Promise<void> | undefined;
  #bytes: Uint8Array<ArrayBuffer> = NOTHING;
  #stop: (() => void) | undefined;

  /** @param body - of a head that an adapter has read; otherwise the head is a Request and has its own */
  constructor(head: RequestHead, maxBodyBytes: number, body?: Pick<UnreadBody, 'read'>) {
    this.#head = head;
    this.#maxBodyBytes = maxBodyBytes;
    this.#unread = body;
  }

  /**
   * Reads the body, unless that has begun already.
   *
   * @throws ConnectionError as `readBody` does, every time
   */
  read(): Promise<void> {
    return (this.#reading ??= this.#read());
  }

  /**
   * Begins to read where that takes the body from nobody else. A body that waits in a stream of Node is kept chunk by
   * chunk, so one-byte chunks would take two hundred times their bytes.
   */
  readAhead(): void {
    if (this.#unread !== undefined) this.read().catch(() => {});
  }

  async #read(): Promise<void> {
    const head = this.#head;
    const unread = this.#unread;
    const maxBytes = this.#maxBodyBytes;
    const onStop = (stop: () => void): void => { this.#stop = stop; };
    this.#bytes = await (unread === undefined
      ? readBody(head as Request, maxBytes, onStop)
      : settled(() => unread.read(maxBytes, onStop), maxBytes));
    this.#head = describing(head, this.#bytes);
  }

  /** A slow sender is not waited for any longer. */
  stopReading(): void {
    this.#stop?.();
  }

  /** Aborts when the sender has gone, if the runtime can tell. */
  get signal(): AbortSignal {
    return this.#head.signal ?? (never ??= new AbortController().signal);
  }

  /** A Request of its own, with as much of the body as was read. */
  copy(): Request {
    const { method } = this.#head;
    const isBodiless = this.#bytes.byteLength === 0 || method === 'GET' || method === 'HEAD';
    return makeRequest(this.#head, isBodiless ? null : this.#bytes);
  }
}
