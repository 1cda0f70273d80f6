import { expect, test } from 'vitest';
import { detachingRow } from '../support/detaching-row.js';
import { Harness, type Row } from '../support/harness.js';

test('an edit is seen although the store changes the object that it returned', async () => {
  const h = new Harness();
  const row: { -readonly [K in keyof Row]: Row[K] } = { id: 'a', version: 'v1', status: 'active', token: 'old' };
  h.rows.rows.set('a', row);
  await h.registry.use('a', () => {});
  row.version = 'v2';
  row.token = 'new';
  await h.registry.use('a', () => {});
  await h.settle();
  expect(h.creates).toBe(2);
  expect(h.eventsOf('disposed')).toEqual([{ id: 'a', version: 'v1', reason: 'replaced', abandonedLeases: 0 }]);
});

// A lazy entity after its session was closed: it became an unhandled rejection, and the permit was lost.
test('a row that throws after it was read keeps no caller waiting', async () => {
  const h = new Harness({ maxConcurrentHydrations: 1 });
  const { lazy, detach } = detachingRow();
  h.rows.rows.set('a', lazy);
  const create = h.holdCreate();
  const use = h.registry.use('a', () => {});
  await h.settle();
  detach();
  create.resolve();
  await expect(use).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
  h.rows.put('a', { version: 'w1' });
  h.rows.put('b');
  expect(await h.registry.use('a', ({ row }) => row.token)).toBe('t1');
  expect(await h.registry.use('b', ({ row }) => row.token)).toBe('t2');
  expect(await h.registry.close()).toEqual({ abandoned: [] });
});
