import type { Writable } from 'node:stream';
import { type NodeBody, failedBody } from './node-body.js';
import { isGone, type NodeRequest, type NodeResponse } from './node-types.js';
import { type PublicOrigin, urlOf } from './node-url.js';
import { refusal } from './problem.js';

/** A request with everything but its body, which may be put in more than once. */
export interface RequestHead {
  readonly signal: AbortSignal;
  withBody(body: BodyInit | null, RequestClass?: typeof Request): Request;
}

/** Methods that have no meaning in fetch: its `Request` refuses them. */
const NOT_FOR_FETCH = new Set(['CONNECT', 'TRACE', 'TRACK']);

/** Reads everything but the body, or says with a `Response` why no `Request` can be made of it. Never throws. */
export function headOf(req: NodeRequest, res: NodeResponse, origin: PublicOrigin): RequestHead | Response {
  const method = req.method ?? 'GET';
  if (NOT_FOR_FETCH.has(method)) return refusal(501);
  const url = urlOf(req, origin);
  if (url === undefined) return refusal(400);
  try {
    const headers = headersOf(req);
    const signal = disconnectSignal(req, res);
    return {
      signal,
      withBody(body, RequestClass = Request) {
        const init: RequestInit & { duplex: 'half' } = { method, headers, signal, body, duplex: 'half' };
        const request = new RequestClass(url.href, init);
        // Its own signal would follow ours only until the garbage collector takes the request, which a handler that
        // streams may long have let go of.
        Object.defineProperty(request, 'signal', { value: signal, enumerable: true });
        // A signature may cover the URL: the query stays as it came where the URL parser would write it otherwise.
        if (url.exact !== request.url) Object.defineProperty(request, 'url', { value: url.exact, enumerable: true });
        return request;
      },
    };
  } catch {
    return refusal(400);
  }
}

/** The body as `Request` takes it. A refused one fails in the hands of its reader. */
export function bodyInit(body: NodeBody): BodyInit | null {
  switch (body.kind) {
    case 'empty': return null;
    case 'bytes': return body.bytes as Uint8Array<ArrayBuffer>;
    case 'stream': return body.stream;
    case 'refused': return failedBody(body.error);
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

function disconnectSignal(req: NodeRequest, res: NodeResponse): AbortSignal {
  const controller = new AbortController();
  const left = (): void => {
    if (isGone(res)) controller.abort(new DOMException('The client disconnected.', 'AbortError'));
  };
  if (isGone(res)) left();
  const output: Writable = res;
  output.once('close', left);
  // Half read and then left alone, the request would keep its connection from ever carrying another.
  output.once('finish', () => {
    if (req.isPaused() && req.listenerCount('data') === 0) req.resume();
  });
  return controller.signal;
}
