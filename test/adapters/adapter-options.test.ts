import { describe, expect, test, vi } from 'vitest';
import { checkOptions, invalidOption } from '../../src/adapters/adapter-options.js';

const refused = (option: string) =>
  expect.objectContaining({
    code: 'INVALID_OPTIONS',
    message: expect.stringMatching(new RegExp(`^${option}: expected `)) as string,
  });

describe('options of every adapter', () => {
  test('all are optional', () => {
    expect(checkOptions({})).toEqual({
      maxBodyBytes: undefined,
      trustProxy: undefined,
      origin: undefined,
      onError: expect.any(Function) as unknown,
    });
  });

  test.each([1, 1024, Number.MAX_SAFE_INTEGER, Infinity])('maxBodyBytes may be %d', (maxBodyBytes) => {
    expect(checkOptions({ maxBodyBytes })).toMatchObject({ maxBodyBytes });
  });

  test.each([0, -1, 0.5, Number.NaN, -Infinity, 2 ** 53, null, '1', 1n])('maxBodyBytes cannot be %s', (maxBodyBytes) => {
    expect(() => checkOptions({ maxBodyBytes: maxBodyBytes as number })).toThrow(refused('maxBodyBytes'));
  });

  test('trustProxy is a boolean', () => {
    for (const trustProxy of [true, false]) expect(checkOptions({ trustProxy })).toMatchObject({ trustProxy });
    for (const trustProxy of [null, 1, 'true'])
      expect(() => checkOptions({ trustProxy: trustProxy as never })).toThrow(refused('trustProxy'));
  });

  test.each([
    { origin: 'https://hooks.example.com', kept: 'https://hooks.example.com' },
    { origin: 'http://h:8080/', kept: 'http://h:8080' },
    { origin: 'HTTPS://H:443', kept: 'https://h' },
  ])('origin may be $origin', ({ origin, kept }) => {
    expect(checkOptions({ origin })).toMatchObject({ origin: kept });
  });

  test.each([
    '',
    'h',
    'ftp://h',
    'ws://h',
    'file:///',
    'https://h/x',
    'https://h?x',
    'https://h#x',
    'https://u:p@h',
    null,
    7,
    new URL('https://h'),
  ])('origin cannot be %s', (origin) => {
    expect(() => checkOptions({ origin: origin as string })).toThrow(refused('origin'));
  });

  test('onError is a function, and its exceptions are caught', async () => {
    expect(() => checkOptions({ onError: null as never })).toThrow(refused('onError'));
    for (const onError of [vi.fn(() => { throw new Error('x'); }), vi.fn(() => Promise.reject(new Error('x'))), vi.fn()]) {
      expect(checkOptions({ onError }).onError('the error')).toBeUndefined();
      expect(onError).toHaveBeenCalledExactlyOnceWith('the error');
    }
  });

  test('the error for an option of one adapter has the same form', () => {
    expect(invalidOption('path', 'a route', 7)).toMatchObject({
      code: 'INVALID_OPTIONS',
      message: 'path: expected a route, got 7',
    });
  });
});
