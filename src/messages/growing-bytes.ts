import { ConnectionError } from '../errors.js';

type Bytes = Uint8Array<ArrayBuffer>;

const NOTHING = new Uint8Array();

/**
 * Collects the chunks of a body in one buffer. A list of chunks would let a sender of one-byte chunks take a hundred
 * times the memory of what it has sent.
 *
 * The buffer grows by half, so that all of it takes at most two and a half times the bytes received.
 */
export class GrowingBytes {
  readonly #maxBytes: number;
  /** Most bodies are one chunk, which is not copied. */
  #only: Bytes | undefined;
  #bytes: Bytes = NOTHING;
  #size = 0;

  /** @param maxBytes - nothing beyond that is kept */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @throws ConnectionError `BODY_TOO_LARGE`, TypeError for a chunk that is not bytes */
  append(chunk: Uint8Array): void {
    if (!(chunk instanceof Uint8Array)) throw new TypeError('The request body has a chunk that is not a Uint8Array.');
    const size = this.#size + chunk.byteLength;
    if (size > this.#maxBytes) throw tooLarge(this.#maxBytes);
    if (this.#size === 0 && this.#only === undefined && chunk.byteLength * 2 >= chunk.buffer.byteLength) {
      this.#only = chunk as Bytes;
      this.#size = size;
      return;
    }
    if (this.#only !== undefined) {
      this.#bytes = this.#only;
      this.#only = undefined;
    }
    if (size > this.#bytes.byteLength) {
      const grown = new Uint8Array(Math.max(size, Math.min(this.#maxBytes, Math.ceil(this.#bytes.byteLength * 1.5))));
      grown.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = grown;
    }
    this.#bytes.set(chunk, this.#size);
    this.#size = size;
  }

  /** All of it, of exactly its size. */
  take(): Bytes {
    if (this.#only !== undefined) return this.#only;
    return this.#size === this.#bytes.byteLength ? this.#bytes : this.#bytes.slice(0, this.#size);
  }
}

/** The error for a body over its cap. */
export function tooLarge(maxBytes: number): ConnectionError<'BODY_TOO_LARGE'> {
  return new ConnectionError('BODY_TOO_LARGE', `The request body is larger than maxBodyBytes (${maxBytes})`);
}
