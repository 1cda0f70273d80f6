import { expect, test } from 'vitest';
import { Harness, WatchedRows } from '../support/harness.js';

test('a gap that comes while the row of a cold connection is read is not lost', async () => {
  const store = new WatchedRows();
  const h = new Harness({ store, freshness: { maxStaleMs: 3_600_000 }, sweepIntervalMs: 0 });
  await h.settle();
  store.put('a');
  store.hold();
  const use = h.registry.use('a', ({ row }) => row.version);
  await h.clock.advance(10);
  store.put('a');
  store.hints.gap();
  await h.clock.advance(10);
  store.letAllGo();
  expect(await use).toBe('v1');
  await h.clock.advance(1_000);
  expect(await h.registry.use('a', ({ row }) => row.version)).toBe('v2');
});

test('a hint for an id whose next read is already awaited changes nothing for its waiters', async () => {
  const store = new WatchedRows();
  const h = new Harness({ store });
  await h.settle();
  store.put('a');
  store.hold();
  const uses = [h.registry.use('a', ({ row }) => row.version)];
  await h.settle();
  uses.push(h.registry.use('a', ({ row }) => row.version));
  store.hints.changed(['a']);
  await h.settle();
  store.letAllGo();
  expect(await Promise.all(uses)).toEqual(['v1', 'v1']);
});
