import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

/** Members that parsers and frameworks add to Node's request, and that may hold the bytes of a body. */
export interface ParsedByOthers {
  readonly body?: unknown;
  /** The bytes as they came, kept by `express.json({ verify })` or by the host. */
  readonly rawBody?: unknown;
}

/** A request of `node:http`, `node:https` or the compatibility layer of `node:http2`. */
export type NodeRequest = (IncomingMessage | Http2ServerRequest) & ParsedByOthers & {
  /** The request target before a framework's mount path was taken off. */
  readonly originalUrl?: string;
};

/** A response of `node:http`, `node:https` or the compatibility layer of `node:http2`. */
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** Returns whether the client is gone, or the response has ended. */
export function isOver(res: NodeResponse): boolean {
  return res.headersSent || res.writableEnded || isGone(res);
}

/** Returns whether the response was cut off, or cannot reach the client any more. */
export function isGone(res: NodeResponse): boolean {
  // Over HTTP/2 a stream that was reset counts as finished, though nobody ended it.
  const closed = res.destroyed || res.closed || ('stream' in res && res.stream.destroyed);
  return closed && !(res.writableFinished && res.writableEnded);
}
