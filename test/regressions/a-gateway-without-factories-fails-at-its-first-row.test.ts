import { expect, test } from 'vitest';
import { factoryByPlatform } from 'hydrant';

/* An empty object of factories was accepted. Each row was then refused with INVALID_RECORD, as if the row were wrong. */

const slack = { create: () => 'slack' };

test.each([
  { given: 'an empty object', factories: {} },
  { given: 'a Map, whose entries are no members', factories: new Map([['slack', slack]]) },
])('factoryByPlatform refuses $given at construction', ({ factories }) => {
  expect(() => factoryByPlatform('platform', factories as never)).toThrow(expect.objectContaining({
    code: 'INVALID_OPTIONS',
    message: 'factoryByPlatform: factories: expected an object with one factory for each platform, got an object without members',
  }));
});
