import { expect, test } from 'vitest';
import { Harness } from '../support/harness.js';

test('close called by a dispose that close began is the same close', async () => {
  let inner: Promise<unknown> | undefined;
  const h: Harness = new Harness({
    freshness: { maxStaleMs: 1e6 },
    factory: {
      dispose: () => {
        inner ??= h.registry.close();
      },
    },
  });
  h.rows.put('a');
  h.rows.put('b');
  await h.registry.use('a', () => 1);
  const lease = await h.registry.acquire('b');
  const outer = h.registry.close();
  await h.settle();
  expect(inner).toBe(outer);
  lease.release();
  expect(await outer).toEqual({ abandoned: [] });
});

test('close reports the leases on a last good instance', async () => {
  const h = new Harness({ keepLastGood: true });
  h.rows.put('a');
  const lease = await h.registry.acquire('a');
  h.rows.put('a');
  h.holdCreate(1);
  const next = h.registry.acquire('a').catch((error: { code: string }) => error.code);
  await h.settle();
  expect(h.registry.snapshot()).toMatchObject({ leased: 1, hydrating: 1 });
  const closed = h.registry.close({ drainTimeoutMs: 1_000 });
  await h.clock.advance(101_000);
  expect(await next).toBe('REGISTRY_CLOSED');
  expect(lease.signal.aborted).toBe(true);
  expect((await closed).abandoned).toContainEqual({ id: 'a', leases: 1 });
});

test('an invalidate called by a listener of context.signal reaches the last good instance', async () => {
  const h = new Harness({ keepLastGood: true });
  h.rows.put('a');
  await h.registry.use('a', () => 1);
  h.rows.put('a');
  h.holdCreate(1);
  const caller = new AbortController();
  const next = h.registry.acquire('a', { signal: caller.signal }).catch(() => 'left');
  await h.settle();
  h.contexts[1]?.signal.addEventListener('abort', () => h.registry.invalidate('a'));
  caller.abort();
  await next;
  await h.settle();
  expect(h.instances[0]?.disposed).toBe('invalidated');
});

test('a use that is aborted while the registry closes is not served', async () => {
  const h = new Harness({ maxConcurrentHydrations: 1 });
  h.rows.put('a');
  h.rows.put('b');
  const gate = h.holdCreate(0);
  const caller = new AbortController();
  const other = h.registry.use('b', () => 1).catch(() => caller.abort());
  await h.settle();
  const use = h.registry.use('a', () => 'served', { signal: caller.signal }).catch(() => 'aborted');
  await h.settle();
  const closed = h.registry.close();
  gate.reject(new Error('bad'));
  await other;
  await h.clock.advance(20_000);
  expect(await use).toBe('aborted');
  await closed;
});

test('the signal of a lease that was released never aborts', async () => {
  const h = new Harness({ freshness: { maxStaleMs: 60_000 } });
  h.rows.put('a');
  const lease = await h.registry.acquire('a');
  lease.release();
  const { signal } = lease;
  h.registry.invalidate('a');
  await h.settle();
  expect(signal.aborted).toBe(false);
});

test('no idle clock starts again while the registry closes', async () => {
  const h = new Harness();
  h.rows.put('a');
  const lease = await h.registry.acquire('a');
  h.rows.hold();
  const second = h.registry.use('a', () => 1);
  await h.settle();
  const closed = h.registry.close();
  lease.release();
  await h.settle();
  h.rows.letAllGo();
  await second;
  await closed;
  expect(h.clock.pendingTimers).toBe(0);
});
