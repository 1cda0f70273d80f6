import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { Problem } from '../messages/problem.js';
import { isDecoded, reasonOf } from '../messages/responses.js';
import type { NodeRequest, NodeResponse } from './node-types.js';

/*
 * One place decides how a response is framed, on Node, Express and Fastify. A handler may relay an upstream that a tenant
 * runs. After a wrong length or connection header, a client would read the end of one response as the next one.
 */

/**
 * Hop-by-hop headers, and others about one connection or one message (RFC 9110, 7.6.1 and 11.7). They never come from a
 * handler. The server writes its own; HTTP/2 refuses most of them.
 */
const FRAMING = new Set([
  'connection', 'content-length', 'http2-settings', 'keep-alive', 'proxy-authenticate', 'proxy-authentication-info',
  'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade',
]);

/** Middleware may have set these before it knew the body. */
export const OF_A_BODY: readonly string[] = ['content-length', 'transfer-encoding', 'trailer'];

/** Statuses that have no body (RFC 9110, 15). */
const BODILESS = new Set([204, 205, 304]);

/** A head that every Node server can send. */
export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly headers: ReadonlyMap<string, string | readonly string[]>;
  /** If false, no body is sent, even if the Response has one. */
  readonly hasBody: boolean;
}

/**
 * The head of a response, checked as a whole before any of it is set.
 *
 * @throws TypeError for a value that is not a Response, or that Node could not send
 */
export function headToSend(response: Response, method: string | undefined): ResponseHead {
  const { status, headers, body } = response;
  const isStatus = Number.isInteger(status) && status >= 200 && status <= 599;
  if (!isStatus) throw new TypeError('The status of the Response is not in 200–599.');
  if (response.bodyUsed) throw new TypeError('The body of the Response was read already.');
  const isHead = method === 'HEAD';
  const kept = new Map<string, string | readonly string[]>();
  const isAboutDecoded = isDecoded(response);
  const named = namesIn(headers.get('connection'));
  for (const [name, value] of headers) {
    if (FRAMING.has(name) || named.has(name) || name === 'set-cookie') continue;
    if (isAboutDecoded && name === 'content-encoding') continue;
    validateHeaderName(name);
    validateHeaderValue(name, value);
    kept.set(name, value);
  }
  const cookies = headers.getSetCookie();
  for (const cookie of cookies) validateHeaderValue('set-cookie', cookie);
  if (cookies.length > 0) kept.set('set-cookie', cookies);
  // No body follows such a head. Its length only says how long the body of a GET would be.
  const length = (isHead && !BODILESS.has(status)) || status === 304 ? headers.get('content-length') : null;
  if (length !== null && !isAboutDecoded && /^\d{1,15}$/.test(length)) kept.set('content-length', length);
  return { status, reason: reasonOf(response), headers: kept, hasBody: body !== null && !isHead && !BODILESS.has(status) };
}

/** Sets a head, on top of what middleware has set. */
export function setHead(res: NodeResponse, { status, reason, headers }: ResponseHead, closes: boolean): void {
  for (const name of OF_A_BODY) if (res.hasHeader(name)) res.removeHeader(name);
  res.statusCode = status;
  // HTTP/2 has no reason phrase.
  if (!('stream' in res)) res.statusMessage = reason;
  for (const [name, value] of headers) {
    res.setHeader(name, name === 'set-cookie' ? [...cookiesSetBefore(res), ...value] : value as string);
  }
  if (closes) res.setHeader('connection', 'close');
}

/** Answers with a problem and drops everything that was set before. Throws if Node cannot send even that. */
export function sendInstead(res: NodeResponse, { status, headers, text }: Problem, closes: boolean): void {
  for (const name of res.getHeaderNames()) res.removeHeader(name);
  const bytes = Buffer.from(text);
  setHead(res, { status, reason: '', headers: new Map(Object.entries(headers)), hasBody: true }, closes);
  res.setHeader('content-length', bytes.byteLength);
  res.end(bytes);
}

/** Cuts the connection (over HTTP/2 the stream), so that the client cannot take a part for the whole. Never throws. */
export function cut(req: NodeRequest, res: NodeResponse): void {
  try {
    if ('stream' in res) res.stream.close(INTERNAL_ERROR);
    else res.destroy();
  } catch {
    req.socket.destroy();
  }
}

/** RFC 9113, 7. */
const INTERNAL_ERROR = 2;

function namesIn(connection: string | null): ReadonlySet<string> {
  return new Set(connection?.toLowerCase().split(',').map((name) => name.trim()));
}

function cookiesSetBefore(res: NodeResponse): string[] {
  const before = res.getHeader('set-cookie');
  return before === undefined ? [] : [before].flat().map(String);
}
