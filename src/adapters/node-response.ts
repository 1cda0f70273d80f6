import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import type { Outgoing } from '../messages/direct.js';
import { discardBody, ResponseBody } from '../messages/response-body.js';
import { problemOf } from '../messages/problem.js';
import { cut, headToSend, sendInstead, setHead } from './framing.js';
import { declaredLength } from './node-body.js';
import { isOver, type NodeRequest, type NodeResponse } from './node-types.js';

/** The rest of a request body is read, to save the connection, only if its announced length is at most this. */
const WORTH_READING_BYTES = 64 * 1024;

const ignore = (): void => undefined;

/**
 * Writes a `Response`. Never rejects. An error before the first byte is answered with one 500 without details; if that
 * cannot be sent either, or if the error comes later, the connection is cut. `onError` gets the error.
 */
export async function sendResponse(
  { response, done }: Outgoing, req: NodeRequest, res: NodeResponse, onError: (error: unknown) => void,
): Promise<void> {
  if (isOver(res)) return discardBody(response, done);
  try {
    const output: Writable = res;
    output.on('error', ignore);
    const head = headToSend(response, req.method);
    const closes = closesConnection(req, head.status);
    if (head.hasBody) {
      await pump(new ResponseBody(response, done), res, (length) => {
        const wasChunked = res.hasHeader('transfer-encoding');
        setHead(res, head, closes);
        if (length !== undefined) res.setHeader('content-length', length);
        // Once the header was removed, Node does not set it again, and a body that is cut off would look complete.
        else if (wasChunked && chunks(res)) res.setHeader('transfer-encoding', 'chunked');
      });
      return;
    }
    setHead(res, head, closes);
    output.end();
    discardBody(response, done);
  } catch (error) {
    discardBody(response, done);
    onError(error);
    sendFailure(req, res);
  }
}

/** Answers 500 without details if nothing was sent yet; otherwise, or if that fails, cuts the connection. Never throws. */
export function sendFailure(req: NodeRequest, res: NodeResponse): void {
  try {
    if (res.writableEnded) return;
    if (isOver(res)) return cut(req, res);
    sendInstead(res, problemOf({ code: 'HANDLER_FAILED', retryAfterMs: undefined }), closesConnection(req, 500));
  } catch {
    cut(req, res);
  }
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

/** @throws TypeError for a value that cannot be sent as a response, such as `undefined` or `Response.error()` */
export function assertResponse(value: Response): Response {
  if (typeof value?.status !== 'number' || typeof value.headers?.getSetCookie !== 'function') {
    throw new TypeError('The handler did not return a Response.');
  }
  if (value.status < 200) throw new TypeError('The handler returned Response.error().');
  return value;
}

/** Whether a body without a length goes out in chunks. HTTP/1.0 has none, and HTTP/2 has frames instead. */
const chunks = (res: NodeResponse): boolean => 'useChunkedEncodingByDefault' in res && res.useChunkedEncodingByDefault;

/** Reads no more than the client takes. Cancels the body when the client leaves. */
async function pump(body: ResponseBody, res: NodeResponse, setHeadWith: (length?: number) => void): Promise<void> {
  const output: Writable = res;
  const client = { isGone: false };
  const leave = (): void => {
    client.isGone = true;
    void body.cancel(new DOMException('The client disconnected.', 'AbortError'));
  };
  try {
    const whole = await body.readAhead();
    if (isOver(res)) return leave();
    setHeadWith(whole?.byteLength);
    if (whole !== undefined) return void output.end(whole);
    output.on('close', leave);
    (res as ServerResponse).flushHeaders();
    for (let chunk = await body.next(); chunk !== undefined; chunk = await body.next()) {
      if (!client.isGone && !output.write(chunk)) await drained(output);
    }
    if (!client.isGone) output.end();
  } catch (error) {
    void body.cancel(error);
    throw error;
  } finally {
    output.off('close', leave);
  }
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
