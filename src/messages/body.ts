import { onNextTurn } from '../clock.js';
import type { Awaitable } from '../contracts/record.js';
import { ConnectionError, isConnectionError } from '../errors.js';
import { isFormType } from './forms.js';
import { GrowingBytes, tooLarge } from './growing-bytes.js';
import { READ, type UnreadBody } from './requests.js';

type Bytes = Uint8Array<ArrayBuffer>;
type Read = UnreadBody['read'];

/**
 * Bodies that a framework reads as a whole are left to it up to this length in all. It keeps every chunk, so a sender of
 * one-byte chunks takes two hundred times the memory of what it has sent. Further bodies are read from their streams.
 */
const MOST_BYTES_AT_ONCE = 32 * 1024;
let bytesAtOnce = 0;

/**
 * Reads the body of a request once, whole, and no further than its cap.
 *
 * @param onStop - gets a function that stops reading
 * @throws ConnectionError as {@link settled}, and `BODY_ALREADY_PARSED`
 */
export function readBody(request: Request, maxBytes: number, onStop: (stop: () => void) => void): Promise<Bytes> {
  return settled(() => {
    if (request.bodyUsed) throw alreadyParsed();
    const { [READ]: read } = request as { readonly [READ]?: (...how: Parameters<Read>) => Promise<Uint8Array> | undefined };
    const reading = read?.call(request, maxBytes, onStop);
    if (reading !== undefined) return reading;
    const { headers } = request;
    const announced = Number(headers.get('content-length'));
    if (isReadAtOnce(request, maxBytes)) return readAtOnce(request, announced);
    const { body } = request;
    if (body?.locked === true) throw alreadyParsed();
    return body === null ? new Uint8Array() : readStream(body, maxBytes, onStop, announced, () => isFormType(headers));
  }, maxBytes);
}

/**
 * The bytes of a body that is being read.
 *
 * @throws ConnectionError `BODY_TOO_LARGE`; `UNAUTHENTICATED` when the sender broke off, because a part cannot be
 * verified
 */
export async function settled(read: () => Awaitable<Uint8Array>, maxBytes: number): Promise<Bytes> {
  try {
    const bytes = await read();
    if (bytes.byteLength > maxBytes) throw tooLarge(maxBytes);
    return bytes as Bytes;
  } catch (error) {
    if (isConnectionError(error)) throw error;
    throw new ConnectionError('UNAUTHENTICATED', 'The request body broke off', { cause: error });
  }
}

function alreadyParsed(): ConnectionError {
  return new ConnectionError('BODY_ALREADY_PARSED', 'The request body was read before the webhook handler. '
    + 'Mount the webhook route before the code that reads it, or let that code read a clone. '
    + "In Elysia, give the route { parse: 'none' }. In Hono, pass on await cloneRawRequest(c.req).");
}

/** A framework's own Request (Hono's on Node) reads its bytes without a stream. It lets through no more than announced. */
function isReadAtOnce(request: Request, maxBytes: number): boolean {
  if (request.arrayBuffer === Request.prototype.arrayBuffer || request.headers.has('content-encoding')) return false;
  const length = request.headers.get('content-length') ?? '';
  return /^\d+$/.test(length) && Number(length) <= Math.min(maxBytes, MOST_BYTES_AT_ONCE - bytesAtOnce)
    && !request.headers.has('transfer-encoding');
}

async function readAtOnce(request: Request, announced: number): Promise<Bytes> {
  bytesAtOnce += announced;
  try {
    return new Uint8Array(await request.arrayBuffer());
  } catch (error) {
    throw !request.bodyUsed && request.body?.locked === true ? alreadyParsed() : error;
  } finally {
    bytesAtOnce -= announced;
  }
}

/** The whole of a stream, unless its announced or its real length is over the cap. */
export async function readStream(
  body: ReadableStream<Uint8Array>, maxBytes: number, onStop: (stop: () => void) => void, announced?: number,
  isForm = () => false,
): Promise<Bytes> {
  const reader = body.getReader();
  const cancel = (): void => void reader.cancel().catch(() => {});
  // The runtime fills the stream of a FormData in this turn.
  const stop = (): void => void (isForm() ? onNextTurn(cancel) : cancel());
  onStop(stop);
  try {
    if (announced !== undefined && announced > maxBytes) throw tooLarge(maxBytes);
    const whole = new GrowingBytes(maxBytes);
    for (let part = await reader.read(); !part.done; part = await reader.read()) whole.append(part.value);
    return whole.take();
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
