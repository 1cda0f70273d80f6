import { expect, test } from 'vitest';
import type { StoreListener } from 'hydrant';
import { Harness, Rows } from '../support/harness.js';

class Watched extends Rows {
  listener!: StoreListener;
  async watch(listener: StoreListener): Promise<AsyncDisposable> { this.listener = listener; return { async [Symbol.asyncDispose]() {} }; }
}

test.each<[string, (l: StoreListener) => void]>([['a hint', (l) => l.changed(['a'])], ['a gap', (l) => l.gap()]])('%s that comes while the row of a cold connection is read is not lost', async (_, tell) => {
  const store = new Watched();
  const h = new Harness({ store, freshness: { maxStaleMs: 3_600_000 }, sweepIntervalMs: 0 });
  await h.settle();
  store.put('a');
  store.hold();
  const use = h.registry.use('a', ({ row }) => row.version);
  await h.clock.advance(10);
  store.put('a'); // the hint of this edit is lost, the subscription is made anew
  tell(store.listener);
  await h.clock.advance(10);
  store.letAllGo();
  expect(await use).toBe('v1');
  await h.clock.advance(1_000);
  expect(await h.registry.use('a', ({ row }) => row.version)).toBe('v2');
});

test('a hint for an id whose next read is awaited already changes nothing for who awaits it', async () => {
  const store = new Watched();
  const h = new Harness({ store });
  await h.settle();
  store.put('a');
  store.hold();
  const uses = [h.registry.use('a', ({ row }) => row.version)];
  await h.settle();
  uses.push(h.registry.use('a', ({ row }) => row.version));
  store.listener.changed(['a']);
  await h.settle();
  store.letAllGo();
  expect(await Promise.all(uses)).toEqual(['v1', 'v1']);
});
