import { expect, test } from 'vitest';
import { Harness } from '../support/harness.js';

test('with the back-off turned off, an instance that died young is hydrated again within the same millisecond', async () => {
  const h = new Harness({ failureBackoff: { initialMs: 0, maxMs: 0 } });
  h.rows.put('a');
  await h.clock.advance(0.3);
  await h.registry.use('a', () => {});
  h.contexts[0]!.retire();
  await h.registry.use('a', () => {});
  expect(h.creates).toBe(2);
});
