import { expect, test } from 'vitest';
import { isThenable } from '../src/thenable.js';

const then = (): void => {};

// oxlint-disable unicorn/no-thenable -- that is what is tested
test.each<{ what: string; value: unknown; expected: boolean }>([
  { what: 'a promise', value: Promise.resolve(), expected: true },
  { what: 'an object with then', value: { then }, expected: true },
  { what: 'a function with then', value: Object.assign(() => {}, { then }), expected: true },
  { what: 'a then that is no function', value: { then: 5 }, expected: false },
  { what: 'an object', value: {}, expected: false },
  { what: 'a function', value: () => {}, expected: false },
  { what: 'null', value: null, expected: false },
  { what: 'nothing', value: undefined, expected: false },
  { what: 'a string', value: 'then', expected: false },
  { what: 'a number', value: 5, expected: false },
])('isThenable decides whether to await: $what', ({ value, expected }) => {
  expect(isThenable(value)).toBe(expected);
});
