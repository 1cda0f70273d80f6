import { expect, test } from 'vitest';
import { Harness } from '../support/harness.js';

test("with 'keepLastGood', an instance that retires while its successor is created is disposed of at once", async () => {
  const h = new Harness({ keepLastGood: true });
  const { gate, use } = await h.edited();
  h.contexts[0]!.retire();
  await h.settle();
  expect(h.log).toEqual(['create a@v1', 'create a@v2', 'dispose a@v1 retired']);
  expect(h.eventsOf('disposed')).toMatchObject([{ reason: 'retired', abandonedLeases: 0 }]);

  gate.reject(new Error('no'));
  await expect(use).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
});
