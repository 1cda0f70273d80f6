import { isThenable } from '../thenable.js';

/** Whether it has the shape of a Response: one may come from another copy of fetch. */
export function isResponse(value: unknown): value is Response {
  return typeof value === 'object' && value !== null && !isThenable(value)
    && Number.isInteger((value as Partial<Response>).status) && (value as Partial<Response>).status !== 0
    && typeof (value as Partial<Response>).headers?.get === 'function' && 'body' in value;
}

/** The codings that `fetch` decodes. Node's `fetch` decodes zstd since undici 7. */
const DECODED = /^(?:x-)?gzip$|^deflate$|^br$/;
const { process } = globalThis as { readonly process?: { readonly versions?: { readonly undici?: string } } };
const DECODES_ZSTD = Number(process?.versions?.undici?.split('.')[0]) >= 7;

/**
 * Whether `fetch` has decoded the body. It leaves `content-encoding` and `content-length` as they came, so both
 * describe bytes that are gone. Only a Response of `fetch` has a `url`.
 */
export function isDecoded(response: Response): boolean {
  const coding = response.headers.get('content-encoding');
  if (coding === null) return false;
  const { url } = response;
  return typeof url === 'string' && url !== '' && coding.toLowerCase().split(',').map((name) => name.trim())
    .every((name) => DECODED.test(name) || (name === 'zstd' && DECODES_ZSTD));
}

/** A reason phrase that may go out (RFC 9112, 4); otherwise an empty one, which says the same. */
export function reasonOf({ statusText }: Response): string {
  return typeof statusText === 'string' && /^[\t\x20-\x7e\x80-\xff]*$/.test(statusText) ? statusText : '';
}

/** The same Response with another body. */
export function withBody(response: Response, body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>>): Response {
  const { status, headers } = response;
  // The runtime skips an option that is `undefined`, and checks any other.
  const copy = new Response(body, { status, statusText: reasonOf(response) || undefined, headers } as ResponseInit);
  if (isDecoded(response)) {
    copy.headers.delete('content-encoding');
    copy.headers.delete('content-length');
  }
  return copy;
}
