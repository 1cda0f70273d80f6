import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { Harness } from '../support/harness.js';

test('uses that share a signal share one listener, and leave none behind', async () => {
  const h = new Harness();
  h.rows.put('a');
  const gate = h.holdCreate();
  const { signal } = new AbortController();
  const uses = Array.from({ length: 20 }, () => h.registry.use('a', ({ name }) => name, { signal }));
  await h.settle();
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  gate.resolve();
  await h.settle();
  expect(new Set(await Promise.all(uses))).toEqual(new Set(['a@v1#0']));
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});

test('an abort reaches all uses that share the signal, and no other', async () => {
  const h = new Harness();
  h.rows.put('a');
  const gate = h.holdCreate();
  const [shared, other] = [new AbortController(), new AbortController()];
  const left = h.registry.use('a', () => 'left', { signal: other.signal });
  const aborted = Array.from({ length: 3 }, () =>
    h.registry.use('a', () => 'served', { signal: shared.signal }).catch((error: unknown) => error),
  );
  await h.settle();
  shared.abort('enough');
  expect(await Promise.all(aborted)).toEqual(['enough', 'enough', 'enough']);
  gate.resolve();
  await h.settle();
  expect(await left).toBe('left');
});
