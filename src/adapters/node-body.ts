import { Readable } from 'node:stream';
import { ConnectionError } from '../errors.js';
import { readStream } from '../messages/body.js';
import { GrowingBytes } from '../messages/growing-bytes.js';
import { describing, type RequestBody, type RequestHead, type UnreadBody } from '../messages/requests.js';
import type { NodeRequest, ParsedByOthers } from './node-types.js';
import { alreadyParsed } from './parsed-body.js';

/** The source of a request's body, or the reason why it is refused. */
export type NodeBody =
  | { readonly kind: 'empty' }
  /** `isInflated`: a parser has decoded them, and the headers do not describe them. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array<ArrayBuffer>; readonly isInflated?: boolean | undefined }
  | { readonly kind: 'unread'; readonly body: UnreadBody }
  | { readonly kind: 'refused'; readonly error: ConnectionError<'BODY_ALREADY_PARSED' | 'BODY_TOO_LARGE'> };

/** Options of {@link bodyOf}. */
export interface BodyOptions {
  readonly maxBytes: number;
  /** Called when a body turned out too large while it was being read. */
  readonly onTooLarge?: (() => void) | undefined;
  /** The stream to read, where a framework has put another one in front of the request. */
  readonly source?: Readable | undefined;
  /** The body as a parser left it, if the framework keeps it outside Node's request. */
  readonly parsed?: ParsedByOthers | undefined;
}

/**
 * Finds the bytes exactly as they came: `rawBody`, a `body` that is still bytes or text, or the stream itself, which
 * is not read before the body is. A body that a parser has consumed is refused, never rebuilt.
 */
export function bodyOf(req: NodeRequest, { maxBytes, onTooLarge, source = req, parsed = req }: BodyOptions): NodeBody {
  if (req.method === 'GET' || req.method === 'HEAD' || hasNoBody(req)) return { kind: 'empty' };
  const bytes = bytesIn(parsed.rawBody) ?? bytesIn(parsed.body);
  if (bytes !== undefined) {
    if (isReencoded(req, parsed, bytes)) return parsedBefore(req);
    if (bytes.byteLength > maxBytes) return tooLarge();
    const isInflated = req.headers['content-encoding'] !== undefined && declaredLength(req) !== bytes.byteLength;
    return { kind: 'bytes', bytes, isInflated };
  }
  if (isConsumed(source)) return parsedBefore(req);
  if (declaredLength(req) > maxBytes) return tooLarge();
  // The stream may fail while nobody reads it.
  source.on('error', () => undefined);
  const stream = (): ReadableStream<Uint8Array> => streamOf(source, maxBytes, onTooLarge);
  // Another listener is reading already, so the bytes flow now and would be gone by the first read.
  if (source.readableFlowing === true) {
    const begun = stream();
    return {
      kind: 'unread',
      body: { stream: () => begun, read: (cap, onStop) => readStream(begun, Math.min(maxBytes, cap), onStop) },
    };
  }
  const read = async (cap: number, onStop: (stop: () => void) => void): Promise<Uint8Array> => {
    if (declaredLength(req) > cap) throw tooLargeError();
    return wholeOf(source, Math.min(maxBytes, cap), cap < maxBytes ? undefined : onTooLarge, onStop);
  };
  return { kind: 'unread', body: { stream, read } };
}

/** The head of a request with this body. Headers about bytes that no longer exist are left out. */
export function headFor(head: RequestHead, body: NodeBody): RequestHead {
  if (body.kind === 'bytes') return describing(head, body.bytes, body.isInflated);
  return body.kind === 'empty' ? describing(head, null) : head;
}

/** The body as a request is made of it. A refused one fails when it is read. */
export function asRequestBody(body: NodeBody): RequestBody {
  switch (body.kind) {
    case 'empty': return null;
    case 'bytes': return body.bytes;
    case 'unread': return body.body;
    case 'refused': return failing(body.error);
  }
}

/** The body as a registry reads it. */
export function asUnreadBody(body: NodeBody): Pick<UnreadBody, 'read'> {
  const part = asRequestBody(body);
  return part !== null && 'read' in part ? part : { read: async () => part as Uint8Array ?? new Uint8Array() };
}

function failing(error: Error): UnreadBody {
  return {
    stream: () => new ReadableStream({ start: (controller) => controller.error(error) }, { highWaterMark: 0 }),
    read: () => Promise.reject(error),
  };
}

/** The length the sender announced; `NaN` if it did not. */
export function declaredLength(req: NodeRequest): number {
  return Number(req.headers['content-length']);
}

function hasNoBody(req: NodeRequest): boolean {
  if (req.httpVersionMajor >= 2) return 'stream' in req && req.stream.endAfterHeaders;
  const length = req.headers['content-length'];
  return req.headers['transfer-encoding'] === undefined && (length === undefined || Number(length) === 0);
}

function bytesIn(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (typeof value === 'string') return Buffer.from(value);
  return value instanceof Uint8Array ? value as Uint8Array<ArrayBuffer> : undefined;
}

/** Whether text has lost the bytes that came: it was in another charset, had a byte order mark, or held invalid UTF-8. */
function isReencoded(req: NodeRequest, parsed: ParsedByOthers, bytes: Uint8Array): boolean {
  const wasText = bytesIn(parsed.rawBody) === undefined ? typeof parsed.body === 'string' : typeof parsed.rawBody === 'string';
  const length = declaredLength(req);
  return wasText && req.headers['content-encoding'] === undefined && !Number.isNaN(length) && length !== bytes.byteLength;
}

/** Not `body !== undefined`: Express 4 sets `{}` on requests it has not read. */
function isConsumed(source: Readable): boolean {
  return Readable.isDisturbed(source) || source.readableEnded;
}

function parsedBefore(req: NodeRequest): NodeBody {
  return { kind: 'refused', error: new ConnectionError('BODY_ALREADY_PARSED', alreadyParsed(req)) };
}

function tooLarge(): NodeBody {
  return { kind: 'refused', error: tooLargeError() };
}

function tooLargeError(): ConnectionError<'BODY_TOO_LARGE'> {
  return new ConnectionError('BODY_TOO_LARGE', 'The request body is larger than maxBodyBytes');
}

/** Receives the bytes of a source. */
interface Sink { data(bytes: Uint8Array): void; end(): void; fail(error: Error): void }

/** Passes the bytes to `sink` until they end or fail. Returns a function that stops this. */
function listen(source: Readable, maxBytes: number, onTooLarge: (() => void) | undefined, sink: Sink): () => void {
  let received = 0;
  const finish = (end: () => void): void => {
    source.off('data', onData).off('end', onEnd).off('error', onLost).off('close', onLost);
    end();
  };
  const onData = (chunk: Uint8Array | string): void => {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, source.readableEncoding ?? 'utf8') : chunk;
    received += bytes.byteLength;
    if (received <= maxBytes) return sink.data(bytes);
    source.pause();
    finish(() => sink.fail(tooLargeError()));
    onTooLarge?.();
  };
  const onEnd = (): void => finish(() => sink.end());
  const onLost = (): void => finish(() => sink.fail(new Error('The body ended before it was complete.')));
  if (source.destroyed || source.readableEnded) onLost();
  else source.on('data', onData).on('end', onEnd).on('error', onLost).on('close', onLost);
  return () => finish(() => source.pause());
}

function wholeOf(
  source: Readable, maxBytes: number, onTooLarge: (() => void) | undefined, onStop: (stop: () => void) => void,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const whole = new GrowingBytes(maxBytes);
    const detach = listen(source, maxBytes, onTooLarge, {
      data: (bytes) => whole.append(bytes),
      end: () => resolve(whole.take()),
      fail: reject,
    });
    onStop(() => {
      detach();
      reject(new Error('Nobody waits for the body any more.'));
    });
    source.resume();
  });
}

function streamOf(source: Readable, maxBytes: number, onTooLarge: (() => void) | undefined): ReadableStream<Uint8Array> {
  let detach: (() => void) | undefined;
  const attach = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    detach = listen(source, maxBytes, onTooLarge, {
      data(bytes) {
        controller.enqueue(bytes);
        // The reader asks for more.
        source.pause();
      },
      end: () => controller.close(),
      fail: (error) => controller.error(error),
    });
  };
  return new ReadableStream<Uint8Array>({
    start(controller) {
      if (source.readableFlowing === true) attach(controller);
    },
    pull(controller) {
      if (detach === undefined) attach(controller);
      source.resume();
    },
    cancel: () => detach?.(),
  }, { highWaterMark: 0 });
}
