import { ConnectionError, type ConnectionErrorCode } from 'hydrant';
import { describe, expect, test } from 'vitest';
import { problem } from '../../src/messages/problem.js';

const ANSWERS: Record<ConnectionErrorCode, [status: number, title: string]> = {
  INVALID_CONNECTION_ID: [404, 'Not Found'],
  CONNECTION_NOT_FOUND: [404, 'Not Found'],
  CONNECTION_STOPPED: [404, 'Not Found'],
  NO_WEBHOOK_HANDLER: [404, 'Not Found'],
  UNAUTHENTICATED: [401, 'Unauthorized'],
  BODY_TOO_LARGE: [413, 'Content Too Large'],
  STORE_UNAVAILABLE: [503, 'Service Unavailable'],
  HYDRATION_FAILED: [503, 'Service Unavailable'],
  HYDRATION_TIMEOUT: [503, 'Service Unavailable'],
  BACKING_OFF: [503, 'Service Unavailable'],
  OVERLOADED: [503, 'Service Unavailable'],
  ACQUIRE_TIMEOUT: [503, 'Service Unavailable'],
  REGISTRY_CLOSED: [503, 'Service Unavailable'],
  CLAIM_LOST: [503, 'Service Unavailable'],
  INVALID_RECORD: [500, 'Internal Server Error'],
  BODY_ALREADY_PARSED: [500, 'Internal Server Error'],
  HANDLER_FAILED: [500, 'Internal Server Error'],
  INVALID_OPTIONS: [500, 'Internal Server Error'],
};

describe('the answer to a failure', () => {
  test.each(Object.entries(ANSWERS))('%s', async (code, [status, title]) => {
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
    [undefined, '1'],
    [1, '1'],
    [1_000, '1'],
    [1_001, '2'],
  ])('has a Retry-After in whole seconds, at least one: %s ms', (retryAfterMs, seconds) => {
    expect(problem(new ConnectionError('BACKING_OFF', '', { retryAfterMs })).headers.get('retry-after')).toBe(seconds);
  });
});
