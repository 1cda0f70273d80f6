import type { Writable } from 'node:stream';
import type { RequestHead } from '../messages/requests.js';
import { isGone, type NodeRequest, type NodeResponse } from './node-types.js';
import { type PublicOrigin, urlOf } from './node-url.js';
import { refusal } from './early-answers.js';

/** A request of Node with everything but its body. */
export class NodeRequestHead implements RequestHead {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  /** Aborts when the client leaves. Its signal is made on first use, because it costs more than everything else here. */
  readonly #left = new AbortController();

  constructor(url: string, method: string, headers: Headers) {
    this.url = url;
    this.method = method;
    this.headers = headers;
  }

  get signal(): AbortSignal {
    return this.#left.signal;
  }

  leave(): void {
    this.#left.abort(new DOMException('The client disconnected.', 'AbortError'));
  }
}

/** Methods that have no meaning in fetch: its `Request` refuses them. */
const NOT_FOR_FETCH = new Set(['CONNECT', 'TRACE', 'TRACK']);

/** Reads everything but the body, or says with a `Response` why no `Request` can be made of it. Never throws. */
export function headOf(req: NodeRequest, res: NodeResponse, origin: PublicOrigin): NodeRequestHead | Response {
  const method = req.method ?? 'GET';
  if (NOT_FOR_FETCH.has(method)) return refusal(501);
  const url = urlOf(req, origin);
  if (url === undefined) return refusal(400);
  try {
    const head = new NodeRequestHead(url, method, headersOf(req));
    followResponse(req, res, head);
    return head;
  } catch {
    return refusal(400);
  }
}

function headersOf(req: NodeRequest): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(req.headers)) {
    // HTTP/2 keeps method, path and authority among the headers.
    if (name.startsWith(':')) continue;
    if (Array.isArray(value)) for (const one of value) headers.append(name, one);
    else if (value !== undefined) headers.append(name, value);
  }
  return headers;
}

/** Tells the head when the client has left, and lets the connection carry another request after this one. */
function followResponse(req: NodeRequest, res: NodeResponse, head: NodeRequestHead): void {
  const left = (): void => {
    if (isGone(res)) head.leave();
  };
  left();
  const output: Writable = res;
  // Not `once`, because each of these comes only once and a wrapper would cost more than the listener.
  output.on('close', left);
  // Half read and then left alone, the request would keep its connection from ever carrying another.
  output.on('finish', () => {
    if (req.isPaused() && req.listenerCount('data') === 0) req.resume();
  });
}
