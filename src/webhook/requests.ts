import type { Awaitable } from '../contracts/record.js';

/** A body that is read at most once, and that need not be made a stream to be read. */
export interface UnreadBody {
  stream(): ReadableStream<Uint8Array>;
  /**
   * The whole of it, and no further than `maxBytes`.
   *
   * @param onStop - is told how to stop reading
   * @throws ConnectionError `BODY_TOO_LARGE`
   */
  read(maxBytes: number, onStop: (stop: () => void) => void): Promise<Uint8Array>;
}

/** What a request is made of. Its getters may be lazy. */
export interface RequestParts {
  /** As it came, byte for byte: a signature may cover it. */
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly signal: AbortSignal;
  /** Bytes are not written to, and not shared with whoever asks for an `arrayBuffer`. */
  readonly body: Uint8Array<ArrayBuffer> | UnreadBody | ReadableStream<Uint8Array> | null;
}

/** How a body is read without a stream. Shared by every copy of the package in a process. */
export const READ: unique symbol = Symbol.for('hydrant.readBody');

const decoder = new TextDecoder();
const EMPTY = new Uint8Array();

function isUnread(body: RequestParts['body']): body is UnreadBody {
  return body !== null && 'stream' in body;
}

/** A request of the platform. */
export function platformRequest({ url, method, headers, signal, body }: RequestParts, RequestClass = Request): Request {
  const init = { method, headers, signal, body: isUnread(body) ? body.stream() : body, duplex: 'half' };
  return Object.defineProperties(new RequestClass(url, init), {
    // The constructor writes some of it otherwise (`'` becomes `%27`).
    url: { value: url },
    // Node's own signal would follow this one only until the request is garbage, which it may be while its response is
    // still being streamed.
    signal: { value: signal },
  });
}

/**
 * A request: where the platform takes it for one of its own, a light one, which makes the platform's only when it is
 * asked for something it does not have itself. On Node 20 that saves nine tenths of what a request costs that is read.
 */
export function makeRequest(parts: RequestParts): Request {
  if (light?.Base !== Request) light = { Base: Request, Light: lightClass(Request) };
  return light.Light === undefined ? platformRequest(parts) : new light.Light(parts);
}

/** A framework may put a `Request` of its own in the place of the platform's. */
let light: { readonly Base: typeof Request; readonly Light: (new (parts: RequestParts) => Request) | undefined } | undefined;

function lightClass(Base: typeof Request): (new (parts: RequestParts) => Request) | undefined {
  class LightRequest {
    readonly #parts: RequestParts;
    #headers: Headers | undefined;
    #used = false;
    #whole: Request | undefined;

    /** The platform's own request, in the same state: used, if this one was. */
    static whole(request: LightRequest): Request {
      if (request.#whole === undefined) {
        const { url, method, signal, body } = request.#parts;
        request.#whole = platformRequest({ url, method, signal, body, headers: request.headers }, Base);
        if (request.#used) request.#whole.arrayBuffer().catch(() => {});
      }
      return request.#whole;
    }

    constructor(parts: RequestParts) {
      this.#parts = parts;
    }

    get url(): string { return this.#parts.url; }
    get method(): string { return this.#parts.method; }
    get signal(): AbortSignal { return this.#parts.signal; }
    get headers(): Headers { return this.#headers ??= new Headers(this.#parts.headers); }
    get bodyUsed(): boolean { return this.#whole?.bodyUsed ?? this.#used; }

    async text(): Promise<string> {
      const bytes = this.#take();
      return bytes === undefined ? LightRequest.whole(this).text() : decoder.decode(bytes);
    }

    async json(): Promise<unknown> {
      return JSON.parse(await this.text());
    }

    async arrayBuffer(): Promise<ArrayBuffer> {
      const bytes = this.#take();
      return bytes === undefined ? LightRequest.whole(this).arrayBuffer() : new Uint8Array(bytes).buffer;
    }

    [READ](maxBytes: number, onStop: (stop: () => void) => void): Awaitable<Uint8Array> | undefined {
      const { body } = this.#parts;
      if (this.#whole !== undefined || this.#used || !isUnread(body)) return this.#take();
      this.#used = true;
      return body.read(maxBytes, onStop);
    }

    /** The body, if it is known and can still be had. */
    #take(): Uint8Array<ArrayBuffer> | undefined {
      const { body } = this.#parts;
      if (this.#whole !== undefined || this.#used) return undefined;
      if (body === null) return EMPTY;
      if (!(body instanceof Uint8Array)) return undefined;
      this.#used = true;
      return body;
    }
  }

  try {
    Object.setPrototypeOf(LightRequest.prototype, Base.prototype);
    // What the platform keeps of a request, it keeps under symbols: there it finds that of the whole one.
    for (const symbol of Object.getOwnPropertySymbols(new Base('http://localhost'))) {
      Object.defineProperty(LightRequest.prototype, symbol, {
        get(this: LightRequest): unknown { return Reflect.get(LightRequest.whole(this), symbol); },
      });
    }
    const Light = LightRequest as unknown as new (parts: RequestParts) => Request;
    return isTakenFor(Base, Light) ? Light : undefined;
  } catch { return undefined; }
}

/** Elsewhere (Bun, workerd, Node 24) the platform knows its own by what cannot be given to another. */
function isTakenFor(Base: typeof Request, Light: new (parts: RequestParts) => Request): boolean {
  const probe = new Light({
    url: 'http://localhost/', method: 'POST', headers: new Headers({ probe: 'yes' }), signal: new AbortController().signal, body: new Uint8Array(1),
  });
  const { method, headers, body } = new Base(probe);
  void body?.cancel();
  return method === 'POST' && headers.has('probe') && body !== null && probe.bodyUsed && probe.redirect === 'follow';
}
