import { afterEach, expect, test, vi } from 'vitest';
import { Departing } from '../../src/slot/departing.js';
import { Harness } from '../support/harness.js';

afterEach(() => vi.restoreAllMocks());

test('sending a read does not move all waiting reads', async () => {
  const h = new Harness({ maxQueuedHydrations: 10_000 });
  const ids = Array.from({ length: 2_000 }, (_, n) => `c${n}`);
  for (const id of ids) h.rows.put(id);
  let moved = 0;
  const splice = Array.prototype.splice;
  vi.spyOn(Array.prototype, 'splice').mockImplementation(function (this: unknown[], ...args: unknown[]) {
    const removed = Reflect.apply(splice, this, args) as unknown[];
    if ((removed[0] as { id?: unknown } | undefined)?.id !== undefined) moved += this.length;
    return removed;
  });
  await Promise.all(ids.map((id) => h.registry.use(id, () => {})));
  vi.restoreAllMocks();
  expect(h.rows.reads).toEqual(ids);
  expect(moved).toBeLessThan(4 * ids.length);
});

test('the end of one departing slot does not search all others', async () => {
  const h = new Harness({ maxQueuedHydrations: 10_000 });
  const ids = Array.from({ length: 500 }, (_, n) => `c${n}`);
  for (const id of ids) h.rows.put(id);
  await Promise.all(ids.map((id) => h.registry.acquire(id)));
  const slow = h.holdDispose(0);
  const looks = vi.spyOn(Departing.prototype, 'all');
  let settled = false;
  const closed = h.registry.close({ drainTimeoutMs: 0 }).finally(() => { settled = true; });
  await h.settle();
  expect({ disposes: h.disposes, settled }).toEqual({ disposes: 500, settled: false });
  slow.resolve();
  expect((await closed).abandoned).toHaveLength(500);
  expect(looks.mock.calls.length).toBeLessThan(10);
});
