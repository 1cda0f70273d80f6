import { STATUS_CODES } from 'node:http';
import type { ConnectionErrorCode } from '../errors.js';

/** An answer an adapter gives by itself (RFC 9457). `detail` must be a constant: it goes to whoever sent the request. */
export function problem(status: number, code?: ConnectionErrorCode, detail?: string): Response {
  return new Response(JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status], status, code, detail }), {
    status,
    headers: { 'content-type': 'application/problem+json' },
  });
}
