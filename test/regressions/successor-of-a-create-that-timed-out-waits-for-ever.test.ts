import { expect, test } from 'vitest';
import { Harness } from '../support/harness.js';

test("under 'drain-first', a create that times out after an invalidate lets its successor begin", async () => {
  const h = new Harness({ replacement: 'drain-first', hydrationTimeoutMs: 1_000, acquireTimeoutMs: 60_000 });
  h.rows.put('a');
  h.holdCreate();
  const old = h.registry.use('a', () => {});
  await h.settle();
  h.registry.invalidate('a');
  const use = h.registry.use('a', ({ name }) => name);
  await h.settle();
  expect(h.creates).toBe(1);

  const outcome = expect(old).rejects.toMatchObject({ code: 'HYDRATION_TIMEOUT' });
  await h.clock.advance(1_000);
  await outcome;
  expect(h.creates).toBe(2);
  await expect(use).resolves.toBe('a@v1#1');
});
