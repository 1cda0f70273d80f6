import { inspect } from 'node:util';
import { describe, expect, expectTypeOf, test, vi } from 'vitest';
import { ConnectionError, isConnectionError, type ConnectionErrorCode } from 'hydrant';

/** Every code, and whether the same call may succeed later. */
const RETRYABLE: Record<ConnectionErrorCode, boolean> = {
  CONNECTION_NOT_FOUND: false,
  CONNECTION_STOPPED: false,
  INVALID_CONNECTION_ID: false,
  INVALID_RECORD: false,
  STORE_UNAVAILABLE: true,
  HYDRATION_FAILED: true,
  HYDRATION_TIMEOUT: true,
  BACKING_OFF: true,
  OVERLOADED: true,
  ACQUIRE_TIMEOUT: true,
  UNAUTHENTICATED: false,
  BODY_TOO_LARGE: false,
  BODY_ALREADY_PARSED: false,
  NO_WEBHOOK_HANDLER: false,
  HANDLER_FAILED: false,
  REGISTRY_CLOSED: true,
  CLAIM_LOST: true,
  INVALID_OPTIONS: false,
};
/** README's table. */
const STATUS: Record<ConnectionErrorCode, number> = {
  CONNECTION_NOT_FOUND: 404,
  CONNECTION_STOPPED: 404,
  INVALID_CONNECTION_ID: 404,
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
  INVALID_RECORD: 500,
  BODY_ALREADY_PARSED: 500,
  HANDLER_FAILED: 500,
  INVALID_OPTIONS: 500,
};
const CODES = Object.keys(RETRYABLE) as ConnectionErrorCode[];

describe('ConnectionError', () => {
  test.each(CODES)('%s has its fields', (code) => {
    const cause = new Error('driver');
    const error = new ConnectionError(code, 'what happened', { connectionId: 'a', retryAfterMs: 5, cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'ConnectionError',
      code,
      message: 'what happened',
      connectionId: 'a',
      retryAfterMs: 5,
      retryable: RETRYABLE[code],
      status: STATUS[code],
      statusCode: STATUS[code],
      expose: false,
      cause,
    });
    expect(error.stack).toContain('what happened');
    expect(isConnectionError(error)).toBe(true);
    for (const other of CODES) expect(isConnectionError(error, other)).toBe(other === code);
  });

  test('missing fields are undefined, and there is no property cause without a cause', () => {
    const error = new ConnectionError('OVERLOADED', 'x');
    expect(error).toMatchObject({ connectionId: undefined, retryAfterMs: undefined });
    expect('cause' in error).toBe(false);
    expect('cause' in new ConnectionError('OVERLOADED', 'x', { cause: undefined })).toBe(true);
  });

  test('as JSON it has the code and neither cause nor stack', () => {
    const error = new ConnectionError('BACKING_OFF', 'x', {
      connectionId: 'a',
      retryAfterMs: 7,
      cause: new Error('xoxb-secret'),
    });
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      name: 'ConnectionError',
      code: 'BACKING_OFF',
      status: 503,
      connectionId: 'a',
      retryable: true,
      retryAfterMs: 7,
    });
  });

  test('its thrower may set retryable to false, which changes nothing else', () => {
    const error = new ConnectionError('HYDRATION_FAILED', 'token revoked', { retryable: false });
    expect(error).toMatchObject({ code: 'HYDRATION_FAILED', status: 503, retryable: false });
    expect(new ConnectionError('HYDRATION_FAILED', 'x', { retryable: undefined }).retryable).toBe(true);
  });

  test('its brand does not show in a log', () => {
    expect(inspect(new ConnectionError('OVERLOADED', 'x'))).not.toContain('Symbol');
  });
});

describe('isConnectionError', () => {
  test('refuses objects that merely look like one', () => {
    for (const other of [
      undefined,
      null,
      'OVERLOADED',
      5,
      {},
      new Error('x'),
      Object.assign(new Error('x'), { code: 'OVERLOADED', name: 'ConnectionError' }),
      () => {},
    ]) {
      expect(isConnectionError(other)).toBe(false);
      expect(isConnectionError(other, 'OVERLOADED')).toBe(false);
    }
  });

  test('recognises errors of another copy of the package, unlike instanceof', async () => {
    vi.resetModules();
    const other = await import('hydrant');
    expect(other.ConnectionError).not.toBe(ConnectionError);
    const error = new other.ConnectionError('OVERLOADED', 'x');
    expect(error instanceof ConnectionError).toBe(false);
    expect(isConnectionError(error, 'OVERLOADED')).toBe(true);
    expect(other.isConnectionError(new ConnectionError('OVERLOADED', 'x'), 'OVERLOADED')).toBe(true);
  });

  test('recognises them by their brand alone, because another version may have other fields', () => {
    const error = { code: 'OVERLOADED', [Symbol.for('hydrant.ConnectionError')]: true };
    expect({
      any: isConnectionError(error),
      overloaded: isConnectionError(error, 'OVERLOADED'),
      backingOff: isConnectionError(error, 'BACKING_OFF'),
    }).toEqual({
      any: true,
      overloaded: true,
      backingOff: false,
    });
  });

  test('narrows the code', () => {
    const error: unknown = new ConnectionError('BACKING_OFF', 'x');
    if (isConnectionError(error, 'BACKING_OFF')) expectTypeOf(error.code).toEqualTypeOf<'BACKING_OFF'>();
    if (isConnectionError(error)) expectTypeOf(error.code).toEqualTypeOf<ConnectionErrorCode>();
  });
});
