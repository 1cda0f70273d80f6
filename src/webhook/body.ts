import { ConnectionError, isConnectionError } from '../errors.js';

const fix = 'something read the request body before hydrant could: mount the webhook route before body parsers, or let the parser keep the raw bytes in req.rawBody';

/**
 * Reads a body once, whole, and no further than its cap.
 *
 * @throws ConnectionError `BODY_TOO_LARGE`, `BODY_ALREADY_PARSED`; `UNAUTHENTICATED` when the sender broke it off, for
 * what is not whole cannot be verified
 */
export async function readBody(request: Request, maxBytes: number, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  if (request.bodyUsed || request.body?.locked === true) throw new ConnectionError('BODY_ALREADY_PARSED', fix);
  if (request.body === null) return new Uint8Array();
  const tooLarge = (): ConnectionError => new ConnectionError('BODY_TOO_LARGE', `The request body is larger than webhook.maxBodyBytes (${maxBytes})`);
  const reader = request.body.getReader();
  const stop = (): void => void reader.cancel().catch(() => {});
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (Number(request.headers.get('content-length')) > maxBytes) throw tooLarge();
    const chunks: Uint8Array[] = [];
    let size = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      size += part.value.byteLength;
      if (size > maxBytes) throw tooLarge();
      chunks.push(part.value);
    }
    return concatenated(chunks, size);
  } catch (error) {
    stop();
    if (isConnectionError(error)) throw error;
    throw new ConnectionError('UNAUTHENTICATED', 'The request body broke off', { cause: error });
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** One piece of many. */
export function concatenated(chunks: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}

/** A request of its own for each who reads it. Never `new Request(request)`, which takes the first one's body. */
export function rebuilt({ url, method, headers, signal }: Request, body: Uint8Array<ArrayBuffer>): Request {
  const bare = body.byteLength === 0 || method === 'GET' || method === 'HEAD';
  const copy = new Request(url, { method, headers, signal, ...(bare ? {} : { body }) });
  // A signature may cover the URL as it came, and the constructor writes some of it otherwise (`'` becomes `%27`).
  if (copy.url !== url) Object.defineProperty(copy, 'url', { value: url, enumerable: true });
  // Node's copy has a signal that follows this one only until the copy is garbage, which it may be while its response
  // is still being streamed.
  Object.defineProperty(copy, 'signal', { value: signal, enumerable: true });
  return copy;
}
