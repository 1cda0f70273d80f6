import { expect, test } from 'vitest';
import { Harness } from '../support/harness.js';

test('a sweep checks the rows behind one that cannot be read', async () => {
  const h = new Harness({ maxInstances: 5_000, freshness: { maxStaleMs: 1e9 }, idleTimeoutMs: Infinity });
  for (let id = 0; id < 1_500; id += 1) { h.rows.put(`c${id}`); await h.registry.use(`c${id}`, () => 1); }
  const get = h.rows.get.bind(h.rows);
  h.rows.get = async (id) => { if (id === 'c0') throw new Error('cannot be decrypted'); return get(id); };
  h.rows.delete('c1400');
  await h.clock.advance(60_000);
  for (let turn = 0; turn < 5; turn += 1) await h.settle();
  expect(h.instances[1400]?.disposed).toBe('deleted');
});
