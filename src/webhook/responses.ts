import type { ConnectionError, ConnectionErrorCode } from '../errors.js';

/** Codes that are not here are the gateway's own fault: 500. */
const STATUS: Partial<Record<ConnectionErrorCode, number>> = {
  INVALID_CONNECTION_ID: 404,
  CONNECTION_NOT_FOUND: 404,
  CONNECTION_STOPPED: 404,
  NO_WEBHOOK_HANDLER: 404,
  UNAUTHENTICATED: 401,
  BODY_TOO_LARGE: 413,
  STORE_UNAVAILABLE: 503,
  HYDRATION_FAILED: 503,
  HYDRATION_TIMEOUT: 503,
  BACKING_OFF: 503,
  OVERLOADED: 503,
  ACQUIRE_TIMEOUT: 503,
  REGISTRY_CLOSED: 503,
  CLAIM_LOST: 503,
};

const TITLE: Readonly<Record<number, string>> = {
  401: 'Unauthorized', 404: 'Not Found', 413: 'Content Too Large', 500: 'Internal Server Error', 503: 'Service Unavailable',
};

/** What is of use to the gateway's author and gives nothing away. */
const DETAIL: Partial<Record<ConnectionErrorCode, string>> = {
  BODY_ALREADY_PARSED: 'The request body was read before the webhook handler: mount the webhook route before body parsers, or keep the raw bytes in req.rawBody.',
};

/** The status a failure is answered with. */
export function statusOf(code: ConnectionErrorCode): number {
  return STATUS[code] ?? 500;
}

/** The default response to a failure (RFC 9457): the code, and nothing internal. */
export function problem({ code, retryAfterMs = 0 }: ConnectionError): Response {
  const status = statusOf(code);
  const headers = new Headers({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' });
  // Whole seconds, and at least one: 0 would invite the sender to come back at once.
  if (status === 503) headers.set('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
  const body = { type: 'about:blank', title: TITLE[status], status, code, detail: DETAIL[code] };
  return new Response(JSON.stringify(body), { status, headers });
}
