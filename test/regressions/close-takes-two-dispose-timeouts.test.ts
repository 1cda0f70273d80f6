import { expect, test } from 'vitest';
import { Harness, Rows } from '../support/harness.js';

test('close resolves one dispose time-out after its deadline, even if a late create starts another dispose', async () => {
  const h = new Harness({ disposeTimeoutMs: 10_000 });
  h.rows.put('a');
  h.rows.put('b');
  const late = h.holdCreate();
  h.holdDispose(0);
  h.holdDispose(1);
  const use = h.registry.use('a', () => {});
  const refused = expect(use).rejects.toMatchObject({ code: 'REGISTRY_CLOSED' });
  const lease = await h.registry.acquire('b');
  let closed = false;
  void h.registry.close({ drainTimeoutMs: 20_000 }).then(() => {
    closed = true;
  });

  await h.clock.advance(20_000);
  await refused;
  expect(lease.signal.aborted).toBe(true);
  await h.clock.advance(5_000);
  late.resolve();
  await h.clock.advance(4_999);
  expect(closed).toBe(false);
  await h.clock.advance(1);
  expect(closed).toBe(true);
  expect(h.instances.every(({ disposed }) => disposed !== undefined)).toBe(true);
});

test('a subscription that cannot be ended does not make close take longer', async () => {
  const rows = new Rows();
  const store = {
    get: (id: string) => rows.get(id),
    watch: async () => ({ [Symbol.asyncDispose]: () => new Promise<void>(() => {}) }),
  };
  const h = new Harness({ store, disposeTimeoutMs: 10_000 });
  rows.put('a');
  h.holdDispose();
  await h.registry.use('a', () => {});
  let closed = false;
  void h.registry.close().then(() => { closed = true; });
  await h.clock.advance(9_999);
  expect(closed).toBe(false);
  await h.clock.advance(1);
  expect(closed).toBe(true);
});
