import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { onNextTurn } from '../clock.js';
import { declaredLength } from './node-body.js';
import { isOver, type NodeRequest, type NodeResponse } from './node-types.js';
import { failure } from './problem.js';
import { sourceOf } from '../webhook/response-source.js';

/** What is left of a request is read to save its connection only if it is announced to be at most this long. */
const WORTH_READING_BYTES = 64 * 1024;

/** The bridge frames the message itself (RFC 9110, 7.6.1). */
const NOT_FOR_NODE = new Set(['transfer-encoding', 'keep-alive']);
const NOT_FOR_HTTP2 = new Set([...NOT_FOR_NODE, 'connection', 'proxy-connection', 'upgrade', 'http2-settings']);

const ignore = (): void => undefined;

/**
 * Writes a `Response`. Never rejects: what goes wrong before the first byte becomes a 500 without details, later it
 * cuts the connection, so that nobody takes half an answer for a whole one; `onError` is told of both.
 */
export async function sendResponse(
  response: Response,
  req: NodeRequest,
  res: NodeResponse,
  onError: (error: unknown) => void,
): Promise<void> {
  if (isOver(res)) return discard(response);
  const output: Writable = res;
  output.on('error', ignore);
  try {
    const source = sourceOf(response);
    if (source !== undefined && req.method !== 'HEAD') {
      writeHead(response, req, res);
      output.end(source);
    } else if (response.body === null || req.method === 'HEAD') {
      writeHead(response, req, res);
      res.end();
      discard(response);
    } else {
      await pump(response.body, res, () => writeHead(response, req, res));
    }
  } catch (error) {
    onError(error);
    discard(response);
    if (res.headersSent) res.destroy();
    else await sendResponse(failure('HANDLER_FAILED'), req, res, ignore);
  }
}

/** Lets go of a response nobody will read, and so of what its body holds. */
export function discard(response: Response): void {
  if (response?.body && !response.body.locked) response.body.cancel().catch(ignore);
}

/**
 * Whether the connection should close after this response: the body was refused, or what is left of it is not worth
 * reading.
 */
export function closesConnection(req: NodeRequest, status: number): boolean {
  if (req.complete || req.httpVersionMajor >= 2) return false;
  const hasBody = req.headers['transfer-encoding'] !== undefined || declaredLength(req) > 0;
  return hasBody && (status === 413 || !(declaredLength(req) <= WORTH_READING_BYTES));
}

/** @throws TypeError for what cannot be sent as a response, such as `undefined` or `Response.error()` */
export function assertResponse(value: Response): Response {
  if (typeof value?.status !== 'number' || typeof value.headers?.getSetCookie !== 'function') {
    throw new TypeError('The handler did not return a Response.');
  }
  if (value.status < 200) throw new TypeError('The handler returned Response.error().');
  return value;
}

function writeHead(response: Response, req: NodeRequest, res: NodeResponse): void {
  const http2 = req.httpVersionMajor >= 2;
  res.statusCode = response.status;
  if (!http2 && response.statusText !== '') res.statusMessage = response.statusText;
  for (const [name, value] of response.headers) {
    if (name !== 'set-cookie' && !(http2 ? NOT_FOR_HTTP2 : NOT_FOR_NODE).has(name)) res.setHeader(name, value);
  }
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) res.setHeader('set-cookie', [...cookiesSetBefore(res), ...cookies]);
  if (closesConnection(req, response.status)) res.setHeader('connection', 'close');
  // Otherwise a wrong length leaves the client waiting, or reading the end of one answer as the start of the next.
  if ('strictContentLength' in res && response.body !== null && req.method !== 'HEAD') res.strictContentLength = true;
}

function cookiesSetBefore(res: NodeResponse): string[] {
  const before = res.getHeader('set-cookie');
  return before === undefined ? [] : [before].flat().map(String);
}

/** Reads no more than the client takes; stops reading, and cancels, when it leaves. */
async function pump(body: ReadableStream<Uint8Array>, res: NodeResponse, head: () => void): Promise<void> {
  const reader = body.getReader();
  const output: Writable = res;
  let gone = false;
  const leave = (): void => {
    gone = true;
    reader.cancel(new DOMException('The client disconnected.', 'AbortError')).catch(ignore);
  };
  output.once('close', leave);
  try {
    const write = async (chunk: Uint8Array): Promise<void> => {
      if (!gone && !output.write(chunk)) await drained(output);
    };
    const first = reader.read();
    const isSlow = await takesLongerThanThisTurn(first);
    if (isSlow && !isOver(res)) {
      head();
      (res as ServerResponse).flushHeaders();
    }
    const start = await first;
    const second = start.done ? first : reader.read();
    // A body that is complete by now goes out in one piece, with its length.
    const isWhole = !isSlow && !(await takesLongerThanThisTurn(second)) && (await second).done;
    if (!isSlow) {
      if (isOver(res)) return leave();
      head();
    }
    if (gone) return;
    if (start.done) return void output.end();
    if (isWhole) return void output.end(start.value);
    second.catch(ignore);
    await write(start.value);
    for (let next = await second; !next.done; next = await reader.read()) await write(next.value);
    if (!gone) output.end();
  } finally {
    output.off('close', leave);
  }
}

function takesLongerThanThisTurn(work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const ready = (): void => resolve(false);
    work.then(ready, ready);
    onNextTurn(() => resolve(true));
  });
}

function drained(output: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      output.off('drain', done).off('close', done);
      resolve();
    };
    output.on('drain', done).on('close', done);
  });
}
