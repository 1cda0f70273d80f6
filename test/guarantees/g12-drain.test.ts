import { describe, expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { Harness } from '../support/harness.js';

describe('G12 drain', () => {
  test('close refuses new uses, nested ones too, and completes accepted ones', async () => {
    const h = new Harness();
    h.rows.put('a');
    const work = deferred();
    const nested: unknown[] = [];
    const use = h.registry.use('a', async () => {
      await work.promise;
      nested.push(await h.registry.use('a', () => {}).catch((error: { code: string }) => error.code));
      nested.push(h.registry.tryAcquire('a'));
      return 'done';
    });
    await h.settle();
    const closed = h.registry.close();
    expect(h.registry.state).toBe('closing');
    await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'REGISTRY_CLOSED' });
    await expect(h.registry.acquire('a')).rejects.toMatchObject({ code: 'REGISTRY_CLOSED' });
    work.resolve();
    expect(await use).toBe('done');
    expect(nested).toEqual(['REGISTRY_CLOSED', undefined]);
    expect(await closed).toEqual({ abandoned: [] });
    expect(h.registry.state).toBe('closed');
    expect(h.log).toEqual(['create a@v1', 'dispose a@v1 closing']);
    expect(h.clock.pendingTimers).toBe(0);
  });

  test('accepted hydrates complete, including their reads and permits', async () => {
    const h = new Harness({ maxConcurrentHydrations: 1 });
    for (const id of ['a', 'b']) h.rows.put(id);
    h.rows.hold();
    const gate = h.holdCreate();
    const uses = ['a', 'b'].map((id) => h.registry.use(id, ({ row }) => row.id));
    await h.settle();
    const closed = h.registry.close();
    h.rows.letAllGo();
    await h.settle();
    gate.resolve();
    expect(await Promise.all(uses)).toEqual(['a', 'b']);
    expect(await closed).toEqual({ abandoned: [] });
    expect(h.disposes).toBe(2);
  });

  test('an idle instance is kept for an accepted use that is about to need it', async () => {
    const h = new Harness();
    h.rows.put('a');
    await h.registry.use('a', () => {});
    h.rows.hold();
    const use = h.registry.use('a', ({ name }) => name);
    await h.settle();
    const closed = h.registry.close();
    h.rows.letAllGo();
    expect(await use).toBe('a@v1#0');
    await closed;
    expect(h.log).toEqual(['create a@v1', 'dispose a@v1 closing']);
  });

  test('an idle instance is disposed of if the accepted use that needed it fails or leaves', async () => {
    const h = new Harness();
    h.rows.put('a');
    await h.registry.use('a', () => {});
    h.rows.hold();
    const controller = new AbortController();
    const use = h.registry.use('a', () => {}, { signal: controller.signal });
    use.catch(() => {});
    await h.settle();
    const closed = h.registry.close();
    controller.abort();
    h.rows.letAllGo();
    expect(await closed).toEqual({ abandoned: [] });
    expect(h.log).toEqual(['create a@v1', 'dispose a@v1 closing']);
  });

  test('at the deadline signals abort, everything is disposed of, and the report names each abandoned instance', async () => {
    const h = new Harness();
    for (const id of ['a', 'b']) h.rows.put(id);
    const leases = await Promise.all([h.registry.acquire('a'), h.registry.acquire('a')]);
    h.registry.use('b', () => {});
    await h.settle();
    const closed = h.registry.close({ drainTimeoutMs: 5_000 });
    await h.clock.advance(4_999);
    expect(leases[0]?.signal.aborted).toBe(false);
    await h.clock.advance(1);
    expect(await closed).toEqual({ abandoned: [{ id: 'a', leases: 2 }] });
    expect(leases.every(({ signal }) => signal.aborted)).toBe(true);
    expect(h.log.filter((line) => line.startsWith('dispose')).toSorted()).toEqual([
      'dispose a@v1 closing',
      'dispose b@v2 closing',
    ]);
    expect(h.clock.pendingTimers).toBe(0);
    for (const lease of leases) lease.release();
    await h.settle();
    expect(h.disposes).toBe(2);
  });

  test('the default deadline is 20 s, shorter than the 30 s of Kubernetes', async () => {
    const h = new Harness();
    h.rows.put('a');
    await h.registry.acquire('a');
    const closed = h.registry.close();
    await h.clock.advance(19_999);
    expect(h.registry.state).toBe('closing');
    await h.clock.advance(1);
    expect((await closed).abandoned).toHaveLength(1);
  });

  test('a second close, or await using, returns the same close', async () => {
    const h = new Harness();
    h.rows.put('a');
    await h.registry.use('a', () => {});
    const first = h.registry.close();
    expect(h.registry.close()).toBe(first);
    await h.registry[Symbol.asyncDispose]();
    expect(h.registry.state).toBe('closed');
    expect(await h.registry.close()).toEqual({ abandoned: [] });
    expect(h.disposes).toBe(1);
  });

  test('close waits for superseded instances that drain', async () => {
    const h = new Harness();
    h.rows.put('a');
    const lease = await h.registry.acquire('a');
    h.registry.invalidate('a');
    const closed = h.registry.close();
    await h.settle();
    expect(h.registry.state).toBe('closing');
    lease.release();
    expect(await closed).toEqual({ abandoned: [] });
  });

  test('an instance whose own drain deadline passed before close is not in the report', async () => {
    const h = new Harness({ drainTimeoutMs: 1_000 });
    h.rows.put('a');
    const lease = await h.registry.acquire('a');
    h.registry.invalidate('a');
    await h.clock.advance(1_000);
    expect(lease.signal.aborted).toBe(true);
    expect(await h.registry.close()).toEqual({ abandoned: [] });
  });

  test('a use after close is refused with REGISTRY_CLOSED', async () => {
    const h = new Harness();
    await h.registry.close();
    await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'REGISTRY_CLOSED', retryable: true });
    h.registry.invalidate('a');
    expect(h.registry.snapshot()).toMatchObject({ live: 0, connections: [] });
  });

  test('close ends the subscription to the store', async () => {
    let ended = 0;
    const h0 = new Harness();
    const h = new Harness({
      store: {
        get: (id) => h0.rows.get(id),
        watch: async () => ({ [Symbol.asyncDispose]: async () => { ended += 1; } }),
      },
    });
    await h.settle();
    await h.registry.close();
    expect(ended).toBe(1);
  });
});
