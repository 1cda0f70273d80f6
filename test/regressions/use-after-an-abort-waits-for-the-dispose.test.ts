import { expect, test } from 'vitest';
import { Harness } from '../support/harness.js';

test('a use that arrives after all callers left waits for that create, but not for the dispose of its instance', async () => {
  const h = new Harness();
  h.rows.put('a');
  const first = h.holdCreate();
  h.holdDispose();
  const leaver = new AbortController();
  const left = h.registry.use('a', () => {}, { signal: leaver.signal });
  await h.settle();
  leaver.abort(new Error('left'));
  await expect(left).rejects.toThrow('left');

  const use = h.registry.use('a', ({ name }) => name);
  await h.settle();
  expect(h.creates).toBe(1);

  first.resolve();
  await h.settle();
  expect(h.log).toEqual(['create a@v1', 'dispose a@v1 unused', 'create a@v1']);
  await expect(use).resolves.toBe('a@v1#1');
});
