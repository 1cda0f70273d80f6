/** The suite under a runner that knows node:test, importing the package by its name, as ESM. */
import { test } from 'node:test';
import * as hydrant from 'hydrant';
import * as exclusive from 'hydrant/exclusive';
import * as inspector from 'hydrant/inspector';
import { checksOf } from './checks.mjs';
import { expectRuntime } from './expect-runtime.mjs';

test('this is the runtime that was asked for', expectRuntime);
for (const [name, check] of checksOf(hydrant, exclusive, inspector)) test(name, check);
test('every entry without a peer of its own is there', async () => {
  for (const entry of ['node', 'express', 'fastify', 'postgres', 'redis', 'testing']) await import(`hydrant/${entry}`);
});
