import { expect, test } from 'vitest';
import { isThenable } from '../src/thenable.js';

const then = (): void => {};

// oxlint-disable unicorn/no-thenable -- that is what is tested
test.each<[string, unknown, boolean]>([
  ['a promise', Promise.resolve(), true],
  ['an object with then', { then }, true],
  ['a function with then', Object.assign(() => {}, { then }), true],
  ['a then that is no function', { then: 5 }, false],
  ['an object', {}, false],
  ['a function', () => {}, false],
  ['null', null, false],
  ['nothing', undefined, false],
  ['a string', 'then', false],
  ['a number', 5, false],
])('isThenable decides whether to await: %s', (_what, value, expected) => {
  expect(isThenable(value)).toBe(expected);
});
