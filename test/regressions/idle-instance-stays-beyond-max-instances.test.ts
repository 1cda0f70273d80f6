import { expect, test } from 'vitest';
import { Harness } from '../support/harness.js';

test('an idle instance is evicted when one that was invalidated during its create comes to life beside it', async () => {
  const h = new Harness({ maxInstances: 1 });
  h.rows.put('a');
  h.rows.put('b');
  const gate = h.holdCreate();
  const lease = h.registry.acquire('a');
  await h.settle();
  await h.registry.use('b', () => {});
  h.registry.invalidate('a');

  gate.resolve();
  await lease;
  await h.settle();
  expect(h.log).toEqual(['create a@v1', 'create b@v2', 'dispose b@v2 evicted']);
});
