import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

/** What parsers and frameworks add to Node's request, where the bytes of a body may be found. */
export interface ParsedByOthers {
  readonly body?: unknown;
  /** The bytes as they came, kept by `express.json({ verify })` or by the platform. */
  readonly rawBody?: unknown;
}

/** A request of `node:http`, `node:https` or the compatibility layer of `node:http2`. */
export type NodeRequest = (IncomingMessage | Http2ServerRequest) & ParsedByOthers & {
  /** The request target before a framework's mount path was taken off. */
  readonly originalUrl?: string;
};

/** A response of `node:http`, `node:https` or the compatibility layer of `node:http2`. */
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** Whether the client is gone, or somebody else has answered. */
export function isOver(res: NodeResponse): boolean {
  return res.headersSent || res.writableEnded || isGone(res);
}

/** Whether the response was cut off, or can reach nobody any more. */
export function isGone(res: NodeResponse): boolean {
  // Over HTTP/2 a stream that was reset counts as finished, though nobody ended it.
  const closed = res.destroyed || res.closed || ('stream' in res && res.stream.destroyed);
  return closed && !(res.writableFinished && res.writableEnded);
}
