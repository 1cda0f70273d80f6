import { STATUS_CODES } from 'node:http';
import type { ConnectionErrorCode } from '../errors.js';
import { problem } from '../messages/problem.js';

/** The registry's answer to a failure that an adapter finds before it calls the registry. */
export function failure(code: ConnectionErrorCode): Response {
  return problem({ code, retryAfterMs: undefined });
}

/** The answer to a request that fetch cannot express, or whose body does not parse: RFC 9457, without a code of this package. */
export function refusal(status: 400 | 501): Response {
  return new Response(JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status }), {
    status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
  });
}
