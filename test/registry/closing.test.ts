import { describe, expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { Harness } from '../support/harness.js';
import { post, seen, webhookHarness } from '../support/webhooks.js';

describe('while a registry closes', () => {
  test('a hydrate that had begun is completed for its use', async () => {
    const h = new Harness();
    h.rows.put('a');
    const gate = h.holdCreate();
    const use = h.registry.use('a', ({ name }) => name);
    await h.settle();
    const closed = h.registry.close();
    gate.resolve();
    expect(await use).toBe('a@v1#0');
    expect(await closed).toEqual({ abandoned: [] });
    expect(h.creates).toBe(1);
  });

  test('a lease has the time that close gives it, whatever drainTimeoutMs is, and is not stale', async () => {
    const h = new Harness({ drainTimeoutMs: 1_000 });
    h.rows.put('a');
    const lease = await h.registry.acquire('a');
    const closed = h.registry.close({ drainTimeoutMs: 5_000 });
    await h.clock.advance(4_999);
    expect({ aborted: lease.signal.aborted, stale: lease.stale }).toEqual({ aborted: false, stale: false });
    expect(h.registry.snapshot()).toMatchObject({ leased: 1, draining: 0 });
    await h.clock.advance(1);
    expect(lease.signal.aborted).toBe(true);
    await closed;
  });

  test('the same holds for an instance that was being created, or waited for a permit', async () => {
    const h = new Harness({ drainTimeoutMs: 1_000, maxConcurrentHydrations: 1 });
    for (const id of ['a', 'b']) h.rows.put(id);
    const gates = [h.holdCreate(0), h.holdCreate(1)];
    const acquiring = ['a', 'b'].map((id) => h.registry.acquire(id));
    await h.settle();
    const closed = h.registry.close({ drainTimeoutMs: 5_000 });
    for (const gate of gates) gate.resolve();
    const leases = await Promise.all(acquiring);
    await h.clock.advance(4_999);
    for (const { signal, stale } of leases) expect({ aborted: signal.aborted, stale }).toEqual({ aborted: false, stale: false });
    for (const lease of leases) lease.release();
    expect(await closed).toEqual({ abandoned: [] });
  });

  test('the process is kept alive until the last lease is released', async () => {
    const h = new Harness({ sweepIntervalMs: 0 });
    h.rows.put('a');
    const lease = await h.registry.acquire('a');
    const closed = h.registry.close();
    await h.settle();
    expect(h.clock).toMatchObject({ pendingTimers: 1, pendingRefTimers: 1 });
    lease.release();
    await closed;
    expect(h.clock.pendingTimers).toBe(0);
  });

  test('drainTimeoutMs: Infinity waits without a deadline', async () => {
    const h = new Harness({ sweepIntervalMs: 0 });
    h.rows.put('a');
    const lease = await h.registry.acquire('a');
    const closed = h.registry.close({ drainTimeoutMs: Infinity });
    await h.settle();
    expect(h.clock.pendingTimers).toBe(0);
    lease.release();
    expect(await closed).toEqual({ abandoned: [] });
  });

  test('a dispose that hangs is waited for as long as disposeTimeoutMs, and not longer', async () => {
    const h = new Harness({ disposeTimeoutMs: 3_000 });
    h.rows.put('a');
    await h.registry.use('a', () => {});
    h.holdDispose();
    const closed = h.registry.close();
    await h.clock.advance(2_999);
    expect(h.registry.state).toBe('closing');
    await h.clock.advance(1);
    expect(await closed).toEqual({ abandoned: [] });
  });

  test('an instance that becomes idle is kept for a use that has not read its row yet', async () => {
    const h = new Harness();
    h.rows.put('a');
    const lease = await h.registry.acquire('a');
    h.rows.hold();
    const use = h.registry.use('a', ({ name }) => name);
    await h.settle();
    const closed = h.registry.close();
    lease.release();
    await h.settle();
    expect(h.log).toEqual(['create a@v1']);
    h.rows.letAllGo();
    expect(await use).toBe('a@v1#0');
    await closed;
    expect(h.log).toEqual(['create a@v1', 'dispose a@v1 closing']);
  });

  test('a refused use has an error with its connection id', async () => {
    const h = new Harness();
    await h.registry.close();
    await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'REGISTRY_CLOSED', connectionId: 'a' });
  });
});

describe('at the deadline of close', () => {
  test('a slot that waits for a permit, and a create that ignores its signal, are reported without leases', async () => {
    const h = new Harness({ maxConcurrentHydrations: 1, hydrationTimeoutMs: 1_000 });
    for (const id of ['stuck', 'waiting']) h.rows.put(id);
    h.holdCreate();
    const codes = ['stuck', 'waiting'].map((id) =>
      h.registry.use(id, () => 'served').catch((error: { code: string }) => error.code),
    );
    await h.settle();
    const closed = h.registry.close({ drainTimeoutMs: 500 });
    await h.clock.advance(500);
    expect(await Promise.all(codes)).toEqual(['REGISTRY_CLOSED', 'REGISTRY_CLOSED']);
    await h.clock.advance(10_000);
    expect((await closed).abandoned.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual([
      { id: 'stuck', leases: 0 },
      { id: 'waiting', leases: 0 },
    ]);
  });

  test('a create that was given up before and still runs is reported too', async () => {
    const h = new Harness({ hydrationTimeoutMs: 1_000 });
    h.rows.put('a');
    h.holdCreate();
    const use = h.registry.use('a', () => {}).catch((error: { code: string }) => error.code);
    await h.clock.advance(1_000);
    expect(await use).toBe('HYDRATION_TIMEOUT');
    const closed = h.registry.close({ drainTimeoutMs: 500 });
    await h.clock.advance(20_000);
    expect(await closed).toEqual({ abandoned: [{ id: 'a', leases: 0 }] });
  });

  test('a webhook that is authenticated after it is refused, and nothing is hydrated', async () => {
    const verdict = deferred<boolean>();
    const h = webhookHarness({ factory: { authenticate: () => verdict.promise } });
    h.rows.put('a');
    const response = h.registry.handleWebhook('a', post());
    await h.settle();
    const closed = h.registry.close({ drainTimeoutMs: 500 });
    await h.clock.advance(500);
    verdict.resolve(true);
    expect(await seen(await response)).toMatchObject({ status: 503, code: 'REGISTRY_CLOSED' });
    await closed;
    expect(h.creates).toBe(0);
  });
});
