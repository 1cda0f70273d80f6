import type { Awaitable } from '../contracts/record.js';
import { ConnectionError, isConnectionError } from '../errors.js';
import { makeRequest, READ, type UnreadBody } from './requests.js';

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Reads a body once, whole, and no further than its cap.
 *
 * @param onStop - is told how to stop reading
 * @throws ConnectionError `BODY_TOO_LARGE`, `BODY_ALREADY_PARSED`; `UNAUTHENTICATED` when the sender broke it off, for
 * what is not whole cannot be verified
 */
export async function readBody(request: Request, maxBytes: number, onStop: (stop: () => void) => void): Promise<Bytes> {
  if (request.bodyUsed) throw alreadyParsed();
  try {
    const { [READ]: read } = request as { readonly [READ]?: (...how: Parameters<UnreadBody['read']>) => Awaitable<Uint8Array> | undefined };
    const bytes = await (read?.call(request, maxBytes, onStop) ?? (isReadAtOnce(request, maxBytes) ? readAtOnce(request) : readStream(request, maxBytes, onStop)));
    if (bytes.byteLength > maxBytes) throw tooLarge(maxBytes);
    return bytes as Bytes;
  } catch (error) {
    if (isConnectionError(error)) throw error;
    throw new ConnectionError('UNAUTHENTICATED', 'The request body broke off', { cause: error });
  }
}

function alreadyParsed(): ConnectionError {
  return new ConnectionError('BODY_ALREADY_PARSED',
    'The request body was read before the webhook handler: mount the webhook route before body parsers, or keep the raw bytes in req.rawBody.');
}

function tooLarge(maxBytes: number): ConnectionError {
  return new ConnectionError('BODY_TOO_LARGE', `The request body is larger than webhook.maxBodyBytes (${maxBytes})`);
}

/** One that has its own way to its bytes (Hono's on Node) takes it here. The platform lets through no more than was announced. */
function isReadAtOnce(request: Request, maxBytes: number): boolean {
  if (request.arrayBuffer === Request.prototype.arrayBuffer || request.headers.has('content-encoding')) return false;
  const length = request.headers.get('content-length');
  return length !== null && Number(length) <= maxBytes && !request.headers.has('transfer-encoding');
}

async function readAtOnce(request: Request): Promise<Bytes> {
  try {
    return new Uint8Array(await request.arrayBuffer());
  } catch (error) {
    throw !request.bodyUsed && request.body?.locked === true ? alreadyParsed() : error;
  }
}

async function readStream({ body, headers }: Request, maxBytes: number, onStop: (stop: () => void) => void): Promise<Bytes> {
  if (body === null) return new Uint8Array();
  if (body.locked) throw alreadyParsed();
  const reader = body.getReader();
  const stop = (): void => void reader.cancel().catch(() => {});
  onStop(stop);
  try {
    if (Number(headers.get('content-length')) > maxBytes) throw tooLarge(maxBytes);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      size += part.value.byteLength;
      if (size > maxBytes) throw tooLarge(maxBytes);
      chunks.push(part.value);
    }
    return concatenated(chunks, size);
  } catch (error) {
    stop();
    throw error;
  }
}

/** One piece of many. */
export function concatenated(chunks: readonly Uint8Array[], size: number): Bytes {
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}

/** A request of its own for each who reads it. Never `new Request(request)`, which takes the first one's body. */
export function rebuilt(request: Request, bytes: Bytes): Request {
  const { method } = request;
  const hasNone = bytes.byteLength === 0 || method === 'GET' || method === 'HEAD';
  return makeRequest(request, hasNone ? null : bytes);
}
