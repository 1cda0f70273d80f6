import { ConnectionError, type ConnectionErrorCode } from 'hydrant';
import { describe, expect, test } from 'vitest';
import { problem } from '../../src/messages/problem.js';

const ANSWERS: Record<ConnectionErrorCode, { status: number; title: string }> = {
  INVALID_CONNECTION_ID: { status: 404, title: 'Not Found' },
  CONNECTION_NOT_FOUND: { status: 404, title: 'Not Found' },
  CONNECTION_STOPPED: { status: 404, title: 'Not Found' },
  NO_WEBHOOK_HANDLER: { status: 404, title: 'Not Found' },
  UNAUTHENTICATED: { status: 401, title: 'Unauthorized' },
  BODY_TOO_LARGE: { status: 413, title: 'Content Too Large' },
  STORE_UNAVAILABLE: { status: 503, title: 'Service Unavailable' },
  HYDRATION_FAILED: { status: 503, title: 'Service Unavailable' },
  HYDRATION_TIMEOUT: { status: 503, title: 'Service Unavailable' },
  BACKING_OFF: { status: 503, title: 'Service Unavailable' },
  OVERLOADED: { status: 503, title: 'Service Unavailable' },
  ACQUIRE_TIMEOUT: { status: 503, title: 'Service Unavailable' },
  REGISTRY_CLOSED: { status: 503, title: 'Service Unavailable' },
  CLAIM_LOST: { status: 503, title: 'Service Unavailable' },
  INVALID_RECORD: { status: 500, title: 'Internal Server Error' },
  BODY_ALREADY_PARSED: { status: 500, title: 'Internal Server Error' },
  HANDLER_FAILED: { status: 500, title: 'Internal Server Error' },
  INVALID_OPTIONS: { status: 500, title: 'Internal Server Error' },
};

describe('the answer to a failure', () => {
  test.each(Object.entries(ANSWERS))('%s', async (code, { status, title }) => {
    const error = new ConnectionError(code as ConnectionErrorCode, 'a secret');
    const response = problem(error);
    expect(response.headers.has('retry-after')).toBe(error.retryable);
    expect({ status: response.status, contentType: response.headers.get('content-type') }).toEqual({
      status,
      contentType: 'application/problem+json',
    });
    expect(await response.json()).toMatchObject({ type: 'about:blank', title, status, code });
  });

  test.each([
    { retryAfterMs: undefined, seconds: '1' },
    { retryAfterMs: 1, seconds: '1' },
    { retryAfterMs: 1_000, seconds: '1' },
    { retryAfterMs: 1_001, seconds: '2' },
  ])('has a Retry-After in whole seconds, at least one: $retryAfterMs ms', ({ retryAfterMs, seconds }) => {
    expect(problem(new ConnectionError('BACKING_OFF', '', { retryAfterMs })).headers.get('retry-after')).toBe(seconds);
  });
});
