import { isConnectionError } from 'hydrant';
import { describe as group, expect, test } from 'vitest';
import {
  aFunction,
  backoff,
  check,
  countOrInfinity,
  describe,
  duration,
  looseShape,
  optional,
  quote,
  ruled,
  shape,
  shapeOfDefaults,
  text,
  unexpected,
  withDefault,
} from '../src/checks.js';

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (isConnectionError(error, 'INVALID_OPTIONS')) return error.message;
    throw error;
  }
  throw new Error('nothing was thrown');
}

group('a message shows the value that came', () => {
  test.each<{ got: unknown; shown: string }>([
    { got: undefined, shown: 'nothing' },
    { got: null, shown: 'null' },
    { got: 5, shown: '5' },
    { got: Number.NaN, shown: 'NaN' },
    { got: 5n, shown: '5n' },
    { got: true, shown: 'true' },
    { got: /x/g, shown: '/x/g' },
    { got: [1], shown: 'an array' },
    { got: { secret: 1 }, shown: 'an object' },
    { got: () => 'secret', shown: 'a function' },
    { got: Symbol('secret'), shown: 'a symbol' },
  ])('$shown', ({ got, shown }) => {
    expect({ described: describe(got), quoted: quote(got) }).toEqual({ described: shown, quoted: shown });
  });

  test('a string is quoted up to 40 characters, or not repeated at all', () => {
    expect(quote('x'.repeat(40))).toBe(`"${'x'.repeat(40)}"`);
    expect(quote('x'.repeat(41))).toBe(`"${'x'.repeat(40)}…"`);
    expect(describe('postgres://u:hunter2@db')).toBe('a string');
  });
});

group('check', () => {
  const options = shape('an object of options', {
    name: withDefault(text('a string'), 'x'), delayMs: optional(duration(1)), most: withDefault(countOrInfinity(1), 5),
    nested: shapeOfDefaults('{ work }', { work: optional(aFunction()) }), backoff: optional(backoff(1)),
  });

  test('fills in defaults, and returns a copy', () => {
    const given = {};
    const { nested, ...rest } = check('X', options, given);
    expect({ ...rest, nested: { ...nested } }).toEqual({ name: 'x', most: 5, nested: {} });
    expect(given).toEqual({});
  });

  test('accepts values at their bounds', () => {
    expect(check('X', options, { delayMs: 2 ** 31 - 1, most: Infinity, backoff: { initialMs: 1, maxMs: 1 } })).toMatchObject({
      delayMs: 2_147_483_647,
      most: Infinity,
    });
  });

  test.each<{ given: unknown; message: string }>([
    { given: undefined, message: 'X: expected an object of options, got nothing' },
    { given: { nane: 'y' }, message: "X: does not know 'nane'" },
    {
      given: { name: 5, most: 0 },
      message: 'X: name: expected a string, got 5; most: expected an integer of at least 1, or Infinity, got 0',
    },
    { given: { nested: { work: 'rm' } }, message: 'X: nested.work: expected a function, got a string' },
    { given: { backoff: { initialMs: 2, maxMs: 1 } }, message: 'X: backoff.maxMs: expected at least initialMs (2), got 1' },
    { given: { backoff: null }, message: 'X: backoff: expected { initialMs, maxMs }, got null' },
    { given: { delayMs: 2 ** 31 }, message: 'X: delayMs: expected milliseconds from 1 to 2147483647, got 2147483648' },
  ])('$message', ({ given, message }) => {
    expect(messageOf(() => check('X', options, given))).toBe(message);
  });

  test('names an option that is checked alone, or nothing without a name', () => {
    expect(messageOf(() => check('use', duration(0), -1, 'timeoutMs'))).toBe(
      'use: timeoutMs: expected milliseconds from 0 to 2147483647, got -1',
    );
    expect(messageOf(() => check('', duration(0), -1, 'timeoutMs'))).toBe(
      'timeoutMs: expected milliseconds from 0 to 2147483647, got -1',
    );
    expect(unexpected('on', 'a function', 'null').message).toBe('on: expected a function, got null');
  });

  test('a loose shape accepts unknown members, and leaves them out', () => {
    expect(check('X', looseShape('an object', { name: text('a string') }), { name: 'a', prefix: '/x' })).toEqual({ name: 'a' });
  });

  test('a rule about several members names the one at fault', () => {
    const pair = ruled(shape('{ low, high }', { low: duration(0), high: duration(0) }), ({ low, high }) =>
      low < high ? undefined : { path: 'high', message: `expected more than low (${low}), got ${high}` },
    );
    expect(messageOf(() => check('X', pair, { low: 2, high: 1 }))).toBe('X: high: expected more than low (2), got 1');
  });
});
