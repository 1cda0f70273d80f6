import { expect, test } from 'vitest';
import { Harness } from '../support/harness.js';

test('close reports a lease whose own drain deadline passes while it waits', async () => {
  const h = new Harness({ drainTimeoutMs: 100 });
  h.rows.put('a');
  const lease = await h.registry.acquire('a');
  void h.registry.invalidate('a');
  const closed = h.registry.close({ drainTimeoutMs: 10_000 });
  await h.clock.advance(100);
  expect({ report: await closed, aborted: lease.signal.aborted }).toEqual({
    report: { abandoned: [{ id: 'a', leases: 1 }] },
    aborted: true,
  });
});

test('close reports every other lease once', async () => {
  const h = new Harness({ drainTimeoutMs: 100 });
  for (const id of ['a', 'b']) h.rows.put(id);
  await h.registry.acquire('a');
  await h.registry.acquire('b');
  void h.registry.invalidate('a');
  const closed = h.registry.close({ drainTimeoutMs: 500 });
  await h.clock.advance(500);
  expect(await closed).toEqual({ abandoned: [{ id: 'a', leases: 1 }, { id: 'b', leases: 1 }] });
});
