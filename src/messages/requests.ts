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

/** What a request is made of besides its body; another request, for one. Its getters may be lazy. */
export interface RequestHead {
  /** As it came, byte for byte: a signature may cover it. */
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly signal: AbortSignal;
}

/** Bytes are not written to, and not shared with whoever asks for an `arrayBuffer`. */
export type RequestBody = Uint8Array<ArrayBuffer> | UnreadBody | ReadableStream<Uint8Array> | null;

/** How a body is read without a stream. Shared by every copy of the package in a process. */
export const READ: unique symbol = Symbol.for('hydrant.readBody');

const decoder = new TextDecoder();
const EMPTY = new Uint8Array();

function isUnread(body: RequestBody): body is UnreadBody {
  return body !== null && 'stream' in body;
}

/** A request of the platform. */
export function platformRequest({ url, method, headers, signal }: RequestHead, body: RequestBody, RequestClass = Request): Request {
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
export function makeRequest(head: RequestHead, body: RequestBody): Request {
  if (light?.Base !== Request) light = { Base: Request, Light: lightClass(Request) };
  return light.Light === undefined ? platformRequest(head, body) : new light.Light(head, body);
}

/** A framework may put a `Request` of its own in the place of the platform's. */
let light: { readonly Base: typeof Request; readonly Light: LightClass | undefined } | undefined;

type LightClass = new (head: RequestHead, body: RequestBody) => Request;

function lightClass(Base: typeof Request): LightClass | undefined {
  class LightRequest {
    readonly #head: RequestHead;
    readonly #body: RequestBody;
    #headers: Headers | undefined;
    #used = false;
    #whole: Request | undefined;

    /** The platform's own request, in the same state: used, if this one was. */
    static whole(request: LightRequest): Request {
      if (request.#whole === undefined) {
        request.#whole = platformRequest(request, request.#body, Base);
        if (request.#used) request.#whole.arrayBuffer().catch(() => {});
      }
      return request.#whole;
    }

    constructor(head: RequestHead, body: RequestBody) {
      this.#head = head;
      this.#body = body;
    }

    get url(): string { return this.#head.url; }
    get method(): string { return this.#head.method; }
    get signal(): AbortSignal { return this.#head.signal; }
    get headers(): Headers { return this.#headers ??= new Headers(this.#head.headers); }
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
      const body = this.#body;
      if (this.#whole !== undefined || this.#used || !isUnread(body)) return this.#take();
      this.#used = true;
      return body.read(maxBytes, onStop);
    }

    /** The body, if it is known and can still be had. */
    #take(): Uint8Array<ArrayBuffer> | undefined {
      const body = this.#body;
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
    const Light = LightRequest as unknown as LightClass;
    return isTakenFor(Base, Light) ? Light : undefined;
  } catch { return undefined; }
}

/** Elsewhere (Bun, workerd, Node 24) the platform knows its own by what cannot be given to another. */
function isTakenFor(Base: typeof Request, Light: LightClass): boolean {
  const probe = new Light({
    url: 'http://localhost/', method: 'POST', headers: new Headers({ probe: 'yes' }), signal: new AbortController().signal,
  }, new Uint8Array(1));
  const { method, headers, body } = new Base(probe);
  void body?.cancel();
  return method === 'POST' && headers.has('probe') && body !== null && probe.bodyUsed && probe.redirect === 'follow';
}
