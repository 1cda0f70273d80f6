import { isRetryable, statusOf, type ConnectionError, type ConnectionErrorCode, type FailureStatus } from '../errors.js';

const TITLE: Readonly<Record<FailureStatus, string>> = {
  401: 'Unauthorized', 404: 'Not Found', 413: 'Content Too Large', 500: 'Internal Server Error', 503: 'Service Unavailable',
};

/** Details that help the gateway's author and reveal nothing to a sender. */
const DETAIL: Partial<Record<ConnectionErrorCode, string>> = {
  BODY_ALREADY_PARSED: 'The request body was read before the webhook handler: mount the webhook route before body parsers, '
    + 'or keep the raw bytes in req.rawBody.',
};

/** A problem document before it is a Response. */
export interface Problem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** The default answer to a failure (RFC 9457): the code, and nothing internal. */
export function problemOf({ code, retryAfterMs = 0 }: Pick<ConnectionError, 'code' | 'retryAfterMs'>): Problem {
  const status = statusOf(code);
  const text = JSON.stringify({ type: 'about:blank', title: TITLE[status], status, code, detail: DETAIL[code] });
  const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
  if (!isRetryable(code)) return { status, headers, text };
  // Whole seconds, and at least one: 0 would invite the sender to come back at once.
  return {
    status,
    headers: {
      ...headers,
      'retry-after': String(Number.isFinite(retryAfterMs) ? Math.max(1, Math.ceil(retryAfterMs / 1000)) : 1),
    },
    text,
  };
}

/** {@link problemOf} as a Response. */
export function problem(failure: Pick<ConnectionError, 'code' | 'retryAfterMs'>): Response {
  const { status, headers, text } = problemOf(failure);
  return new Response(text, { status, headers });
}
