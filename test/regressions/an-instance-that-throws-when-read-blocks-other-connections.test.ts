import { expect, test } from 'vitest';
import { Harness } from '../support/harness.js';

/** Like strict RPC clients and mocks: reading a property that it does not have, such as `then`, throws. */
const strict = (): never => new Proxy({}, { get() { throw new Error('no such property'); } }) as never;

test('a create that returns such an object fails the hydrate and returns its permit', async () => {
  const h = new Harness({
    maxConcurrentHydrations: 1,
    factory: { create: (row) => (row.id === 'a' ? strict() : { name: 'ok', row, disposed: undefined }) },
  });
  h.rows.put('a');
  h.rows.put('b');
  await expect(h.registry.use('a', () => 1)).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
  expect(await h.registry.use('b', () => 'served')).toBe('served');
});

test('work that returns such an object rejects, and its lease is released', async () => {
  const h = new Harness({ freshness: { maxStaleMs: 60_000 } });
  h.rows.put('a');
  await h.registry.use('a', () => 1);
  await expect(h.registry.use('a', strict)).rejects.toThrow('no such property');
  expect(h.registry.snapshot().leased).toBe(0);
});
