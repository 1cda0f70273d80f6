import { statusOf, type ConnectionError, type ConnectionErrorCode } from '../errors.js';

const TITLE: Readonly<Record<number, string>> = {
  401: 'Unauthorized', 404: 'Not Found', 413: 'Content Too Large', 500: 'Internal Server Error', 503: 'Service Unavailable',
};

/** What is of use to the gateway's author and gives nothing away. */
const DETAIL: Partial<Record<ConnectionErrorCode, string>> = {
  BODY_ALREADY_PARSED: 'The request body was read before the webhook handler: mount the webhook route before body parsers, or keep the raw bytes in req.rawBody.',
};

/** The default response to a failure (RFC 9457): the code, and nothing internal. */
export function problem({ code, retryAfterMs = 0 }: ConnectionError): Response {
  const status = statusOf(code);
  const headers = new Headers({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' });
  // Whole seconds, and at least one: 0 would invite the sender to come back at once.
  if (status === 503) headers.set('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
  const body = { type: 'about:blank', title: TITLE[status], status, code, detail: DETAIL[code] };
  return new Response(JSON.stringify(body), { status, headers });
}
