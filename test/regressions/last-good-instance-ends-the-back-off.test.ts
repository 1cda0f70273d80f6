import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Harness } from '../support/harness.js';

beforeEach(() => { vi.spyOn(Math, 'random').mockReturnValue(0.5); });
afterEach(() => { vi.restoreAllMocks(); });

test("with 'keepLastGood', the death of the old instance does not end the back-off of the version that failed", async () => {
  const h = new Harness({ keepLastGood: true, failureBackoff: { initialMs: 10_000, maxMs: 10_000 } });
  const { gate, use } = await h.edited();
  gate.reject(new Error('no'));
  await expect(use).resolves.toMatchObject({ name: 'a@v1#0' });

  h.contexts[0]!.retire(new Error('socket closed'));
  await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'BACKING_OFF', retryAfterMs: 5_000 });
  expect(h.creates).toBe(2);
  await h.clock.advance(5_000);
  await expect(h.registry.use('a', ({ name }) => name)).resolves.toBe('a@v2#2');
});
