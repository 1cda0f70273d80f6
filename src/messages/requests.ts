import { GrowingBytes } from './growing-bytes.js';

/** The parts of a request besides its body. A Request is one too. */
export interface RequestHead {
  /** The URL as it came, byte for byte, because a signature may cover it. */
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly signal: AbortSignal;
}

/** A body that is read at most once, on demand. */
export interface UnreadBody {
  stream(): ReadableStream<Uint8Array>;
  /**
   * The whole body, and no further than `maxBytes`.
   *
   * @param onStop - gets a function that stops reading
   * @throws ConnectionError `BODY_TOO_LARGE`
   */
  read(maxBytes: number, onStop: (stop: () => void) => void): Promise<Uint8Array>;
}

/** The same head, without a length and a coding that are not those of `bytes`: a parser may have inflated them. */
export function describing(head: RequestHead, bytes: Uint8Array | null, isInflated = false): RequestHead {
  const declared = head.headers.get('content-length');
  if (declared === null ? !isInflated : Number(declared) === (bytes?.byteLength ?? 0)) return head;
  const headers = new Headers(head.headers);
  headers.delete('content-length');
  headers.delete('content-encoding');
  const { url, method } = head;
  return { url, method, headers, get signal() { return head.signal; } };
}

export type RequestBody = Uint8Array<ArrayBuffer> | UnreadBody | ReadableStream<Uint8Array> | null;

/** The way past the stream of a body. Shared by every copy of the package in a process. */
export const READ: unique symbol = Symbol.for('hydrant.readBody');

type RequestClass = new (head: RequestHead, body: RequestBody) => Request;

const decoder = new TextDecoder();

/** A framework may replace the global `Request`. Then the replacement is extended. */
let current: { readonly Base: typeof Request; readonly Made: RequestClass } | undefined;

/**
 * A Request of the runtime, whose `url` and `signal` are the given ones. A Request that is made of it has a signal of
 * its own: linking the two costs a tenth of a delivery, and memory until the next full collection.
 */
export function makeRequest(head: RequestHead, body: RequestBody): Request {
  if (current?.Base !== Request) current = { Base: Request, Made: extended(Request) };
  return new current.Made(head, body);
}

/** A clone with the URL and the signal of the original, as every clone of it will have them. */
function alike({ url, signal }: Request, clone: Request): Request {
  const again = clone.clone;
  return Object.defineProperties(clone, {
    url: { value: url }, signal: { value: signal }, clone: { value: () => alike(clone, again.call(clone)) },
  });
}

/** The runtime's constructor rewrites some of the url (`'` becomes `%27`), and its signal is one more for each request. */
export function extended(Base: typeof Request): RequestClass {
  return class Delivered extends Base {
    readonly #head: RequestHead;
    /** The way past the stream, until a clone shares the stream. */
    #unread: UnreadBody | undefined;
    /** The length of a body that is known. */
    readonly #length: number | undefined;

    constructor(head: RequestHead, body: RequestBody) {
      const unread = body !== null && 'read' in body ? body : undefined;
      const length = body instanceof Uint8Array ? body.byteLength : undefined;
      const { url, method, headers } = head;
      // The runtime skips an option that is `undefined`, and converts any other.
      const duplex = length === undefined ? 'half' : undefined;
      super(url, { method, headers, body: unread?.stream() ?? body as BodyInit | null, duplex } as RequestInit);
      this.#head = head;
      this.#unread = unread;
      this.#length = length;
    }

    override get url(): string { return this.#head.url; }
    override get signal(): AbortSignal { return this.#head.signal ?? super.signal; }

    override clone(): Request {
      this.#unread = undefined;
      return alike(this, super.clone());
    }

    /** Through its reader, which on Node 22 takes half the time of the runtime's own `text`. */
    override async text(): Promise<string> {
      const { body } = this;
      if (body === null || body.locked || this.bodyUsed) return super.text();
      const reader = body.getReader();
      const whole = new GrowingBytes(Infinity);
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return decoder.decode(whole.take());
        // All of it: there is no need to wait for its end.
        if (value.byteLength === this.#length) return decoder.decode(value);
        whole.append(value);
      }
    }

    override async json(): Promise<any> {
      return JSON.parse(await this.text());
    }

    /** For the registry, which reads what an adapter has not read yet. */
    [READ](maxBytes: number, onStop: (stop: () => void) => void): Promise<Uint8Array> | undefined {
      if (this.#unread === undefined || this.bodyUsed || this.body?.locked !== false) return undefined;
      // From now on, every other reader is refused.
      this.body.getReader();
      return this.#unread.read(maxBytes, onStop);
    }
  };
}
