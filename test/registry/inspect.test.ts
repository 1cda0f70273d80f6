import { describe, expect, test } from 'vitest';
import { Harness, Rows } from '../support/harness.js';
import { post, webhookHarness } from '../support/webhooks.js';

describe('inspect', () => {
  test('shows the row of the snapshot, and takes no lease', async () => {
    const h = new Harness({ freshness: { maxStaleMs: Infinity } });
    h.rows.put('a');
    expect(h.registry.inspect('a')).toBeUndefined();
    const gate = h.holdCreate();
    const acquired = h.registry.acquire('a');
    await h.settle();
    expect(h.registry.inspect('a')).toEqual({ id: 'a', state: 'hydrating', version: 'v1', leases: 0 });
    gate.resolve();
    const lease = await acquired;
    await h.clock.advance(5);
    expect(h.registry.inspect('a')).toEqual({
      id: 'a',
      state: 'leased',
      version: 'v1',
      leases: 1,
      ageMs: 5,
      checkedAgoMs: 5,
      leasedForMs: 5,
    });
    expect(h.registry.snapshot().connections).toEqual([h.registry.inspect('a')]);
    lease.release();
    expect(h.registry.inspect('a')).toMatchObject({ state: 'idle', leases: 0 });
    expect(h.rows.reads).toHaveLength(1);
  });

  test('shows the newest instance, or a departing one if there is no other', async () => {
    const h = new Harness();
    h.rows.put('a');
    const old = await h.registry.acquire('a');
    void h.registry.invalidate('a');
    expect(h.registry.inspect('a')).toMatchObject({ state: 'draining', version: 'v1', leases: 1 });
    h.rows.put('a');
    const next = await h.registry.acquire('a');
    expect(h.registry.inspect('a')).toMatchObject({ state: 'leased', version: 'v2' });
    next.release();
    old.release();
    await h.settle();
    expect(h.registry.inspect('a')).toMatchObject({ state: 'idle', version: 'v2' });
    await h.registry.close();
    expect(h.registry.inspect('a')).toBeUndefined();
  });

  test('ignores a row with which a webhook is being authenticated', async () => {
    const h = webhookHarness({
      factory: {
        authenticate: () => {
          expect(h.registry.inspect('a')).toBeUndefined();
          return false;
        },
      },
    });
    h.rows.put('a');
    expect((await h.registry.handleWebhook('a', post())).status).toBe(401);
  });

  test('costs the same among a hundred thousand connections', async () => {
    const rows = new Rows();
    const h = new Harness({ store: rows, maxInstances: 1_000_000, maxQueuedHydrations: 1_000_000 });
    const ids = Array.from({ length: 2_000 }, (_, n) => `c${n}`);
    for (const id of ids) rows.put(id);
    await Promise.all(ids.map((id) => h.registry.use(id, () => {})));
    const others = ids.slice(1);
    for (const id of others)
      Object.defineProperty(rows.rows.get(id), 'id', {
        get: () => {
          throw new Error('looked at');
        },
      });
    expect(h.registry.inspect('c0')).toMatchObject({ state: 'idle' });
  });
});
