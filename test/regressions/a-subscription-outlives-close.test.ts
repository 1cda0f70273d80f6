import { expect, test } from 'vitest';
import { ConnectionRegistry } from 'hydrant';
import { ManualClock } from 'hydrant/testing';
import { deferred } from '../support/deferred.js';

test('close waits for a subscription that is still being opened, and ends it', async () => {
  const made = deferred<AsyncDisposable>();
  const order: string[] = [];
  const registry = new ConnectionRegistry({
    clock: new ManualClock(),
    store: { get: async () => undefined, watch: () => made.promise },
    factory: { create: () => ({}) },
  });
  const closed = registry.close().then(() => order.push('closed'));
  await new Promise(setImmediate);
  expect(order).toEqual([]);
  made.resolve({ [Symbol.asyncDispose]: async () => { order.push('ended'); } });
  await closed;
  expect(order).toEqual(['ended', 'closed']);
});
