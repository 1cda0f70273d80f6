import { describe, expect, test } from 'vitest';
import { Harness, type Instance } from '../support/harness.js';
import { handingOver } from '../support/webhooks.js';

/** A native promise that an instrumentation of promises has spoilt. */
function spoilt<T>(value: T): Promise<T> {
  const promise = Promise.resolve(value);
  // oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
  Object.defineProperty(promise, 'then', { value: () => { throw new Error('spoilt'); } });
  return promise;
}

describe('a promise that has a `then` of its own, which throws', () => {
  test('returned by the work of a use, rejects the use and releases the instance', async () => {
    const h = new Harness({ freshness: { maxStaleMs: Infinity } });
    h.rows.put('a');
    for (let use = 0; use < 2; use += 1) await expect(h.registry.use('a', () => spoilt('done'))).rejects.toThrow('spoilt');
    expect(h.registry.snapshot()).toMatchObject({ idle: 1, leased: 0 });
  });

  test('returned by create, fails the hydrate and gives back its permit', async () => {
    let spoil = true;
    const h: Harness = new Harness({
      maxConcurrentHydrations: 1, failureBackoff: { initialMs: 0, maxMs: 0 },
      factory: { create: (row, context) => spoil ? spoilt({} as Instance) : h.create(row, context) },
    });
    h.rows.put('a');
    await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
    spoil = false;
    await h.registry.use('a', () => {});
  });

  test('passed to waitUntil, holds the instance only until it has settled', async () => {
    const h = new Harness({
      factory: {
        authenticate: () => true,
        handleWebhook: handingOver(() => spoilt('done')),
      },
    });
    h.rows.put('a');
    expect((await h.registry.handleWebhook('a', new Request('http://gateway.test/', { method: 'POST' }))).status).toBe(200);
    await h.settle();
    expect(h.registry.snapshot()).toMatchObject({ idle: 1, leased: 0 });
  });
});
