import { describe, expect, test } from 'vitest';
import { Harness } from '../support/harness.js';

describe("replacement: 'drain-first'", () => {
  const open = (options = {}): Harness => new Harness({ replacement: 'drain-first', ...options });

  test('the old instance is disposed of before its successor is created', async () => {
    const h = open();
    h.rows.put('a');
    await h.registry.use('a', () => {});
    const slow = h.holdDispose();
    h.rows.put('a');
    const use = h.registry.use('a', ({ row }) => row.version);
    await h.settle();
    expect(h.log).toEqual(['create a@v1', 'dispose a@v1 replaced']);
    slow.resolve();
    expect(await use).toBe('v2');
  });

  test('the successor waits for the leases of the old instance, up to the drain deadline', async () => {
    const h = open({ drainTimeoutMs: 5_000 });
    h.rows.put('a');
    const lease = await h.registry.acquire('a');
    h.rows.put('a');
    const use = h.registry.use('a', ({ row }) => row.version);
    await h.clock.advance(4_999);
    expect(h.creates).toBe(1);
    await h.clock.advance(1);
    expect(lease.signal.aborted).toBe(true);
    expect(await use).toBe('v2');
  });

  test('the successor waits for an evicted instance as well', async () => {
    const h = open({ maxInstances: 1 });
    h.rows.put('a');
    h.rows.put('b');
    await h.registry.use('a', () => {});
    const slow = h.holdDispose();
    await h.registry.use('b', () => {});
    const again = h.registry.use('a', () => {});
    await h.settle();
    expect(h.log).toEqual(['create a@v1', 'create b@v2', 'dispose a@v1 evicted']);
    slow.resolve();
    await again;
  });

  test('an instance invalidated during its hydrate is created, drained and disposed of before its successor', async () => {
    const h = open();
    h.rows.put('a');
    const first = h.holdCreate();
    const early = h.registry.acquire('a');
    await h.settle();
    h.registry.invalidate('a');
    const late = h.registry.use('a', ({ name }) => name);
    await h.settle();
    first.resolve();
    const lease = await early;
    await h.settle();
    expect(h.creates).toBe(1);
    lease.release();
    expect(await late).toBe('a@v1#1');
    expect(h.log).toEqual(['create a@v1', 'dispose a@v1 invalidated', 'create a@v1']);
  });

  test('no slot keeps a permit while it waits for a dispose: 16 that hang block no other connection', async () => {
    const h = open({ maxConcurrentHydrations: 16 });
    const ids = Array.from({ length: 16 }, (_, index) => `c${index}`);
    for (const id of [...ids, 'x']) h.rows.put(id);
    await Promise.all(ids.map((id) => h.registry.use(id, () => {})));
    for (const [index] of ids.entries()) h.holdDispose(index);
    for (const id of ids) h.rows.put(id);
    const blocked = ids.map((id) => h.registry.use(id, () => {}));
    await h.settle();
    await h.registry.use('x', () => {});
    for (const gate of h.disposing) gate?.resolve();
    await Promise.all(blocked);
  });

  test('a successor that waits for a permit also waits for a dispose that begins meanwhile', async () => {
    const h = open({ maxConcurrentHydrations: 1, disposeTimeoutMs: Infinity });
    for (const id of ['a', 'b']) h.rows.put(id);
    const old = await h.registry.acquire('a');
    old.release();
    const busy = h.holdCreate();
    const other = h.registry.use('b', () => {});
    await h.settle();
    // An old lease that drains stands for a create that timed out and is disposed of late.
    const held = await h.registry.acquire('a');
    h.registry.invalidate('a');
    const next = h.registry.use('a', ({ name }) => name);
    await h.settle();
    const slow = h.holdDispose();
    busy.resolve();
    await other;
    held.release();
    await h.settle();
    expect(h.creates).toBe(2);
    slow.resolve();
    expect(await next).toBe('a@v1#2');
  });

  test('a nested use of the same connection waits for itself and ends in ACQUIRE_TIMEOUT', async () => {
    const h = open({ acquireTimeoutMs: 1_000 });
    h.rows.put('a');
    const use = h.registry.use('a', async () => {
      h.rows.put('a');
      return h.registry.use('a', () => {});
    });
    use.catch(() => {});
    await h.clock.advance(1_000);
    await expect(use).rejects.toMatchObject({ code: 'ACQUIRE_TIMEOUT' });
    await expect(use).rejects.toThrow(
      "under 'drain-first' the instance before it must go, and 1 lease on it kept it in use for 1000 ms. "
        + 'A use that is awaited inside a use, handler or lease of the same connection waits for itself '
        + 'once the row has changed: end the outer one first',
    );
  });

  test('the error counts the leases that the use waits for, and tells for how long the instance has been in use', async () => {
    const h = open({ acquireTimeoutMs: 1_000 });
    h.rows.put('a');
    await h.clock.advance(5_000);
    await h.registry.acquire('a');
    await h.registry.acquire('a');
    await h.clock.advance(3_000);
    h.rows.put('a');
    const use = h.registry.use('a', () => {});
    use.catch(() => {});
    await h.clock.advance(1_000);
    await expect(use).rejects.toThrow('must go, and 2 leases on it kept it in use for 4000 ms. ');
  });

  test('the error of a use whose slot was invalidated while it waited for a permit names the permit', async () => {
    const h = open({ acquireTimeoutMs: 1_000, maxConcurrentHydrations: 1 });
    h.rows.put('a');
    h.rows.put('b');
    h.holdCreate();
    h.registry.use('b', () => {}).catch(() => {});
    await h.settle();
    const use = h.registry.use('a', () => {});
    use.catch(() => {});
    await h.settle();
    void h.registry.invalidate('a');
    await h.clock.advance(1_000);
    await expect(use).rejects.toThrow('it was waiting for a permit');
  });

  test('a nested use that is not awaited is served when the outer one has ended', async () => {
    const h = open({ acquireTimeoutMs: 1_000 });
    h.rows.put('a');
    let inner: Promise<string> | undefined;
    await h.registry.use('a', async () => {
      h.rows.put('a');
      inner = h.registry.use('a', ({ name }) => name);
      await h.settle();
    });
    expect(await inner).toBe('a@v2#1');
  });

  test('a nested use is served when the outer one has released its lease', async () => {
    const h = open({ acquireTimeoutMs: 1_000 });
    h.rows.put('a');
    const name = await h.registry.use('a', async (_instance, lease) => {
      h.rows.put('a');
      lease.release();
      return h.registry.use('a', (next) => next.name);
    });
    expect(name).toBe('a@v2#1');
  });

  test.each([
    { waits: 'for its row', says: 'its row was still being read', hold: (h: Harness) => { h.rows.hold(); } },
    { waits: 'for create', says: 'create, or secrets, had not settled', hold: (h: Harness) => { h.holdCreate(); } },
    {
      waits: 'for a permit', says: 'it was waiting for a permit (maxConcurrentHydrations) or for an aborted create to settle',
      hold: async (h: Harness) => { h.holdCreate(); h.registry.use('b', () => {}).catch(() => {}); await h.settle(); },
    },
    {
      waits: 'for a dispose', says: "under 'drain-first' the instance before it must go, and had not settled",
      hold: async (h: Harness) => { h.holdDispose(); await h.registry.use('a', () => {}); h.registry.invalidate('a'); },
    },
  ])('a use that gives up while it waits $waits has an error that says so', async ({ says, hold }) => {
    const h = open({ acquireTimeoutMs: 1_000, disposeTimeoutMs: Infinity, maxConcurrentHydrations: 1 });
    h.rows.put('a');
    h.rows.put('b');
    await hold(h);
    const use = h.registry.use('a', () => {});
    use.catch(() => {});
    await h.clock.advance(1_000);
    await expect(use).rejects.toThrow(`Connection 'a' was not available within 1000 ms: ${says}`);
  });

  test('a factory may choose the replacement of its own connections', async () => {
    const h = new Harness({ factory: { replacement: 'drain-first' } });
    h.rows.put('a');
    const lease = await h.registry.acquire('a');
    h.rows.put('a');
    const use = h.registry.use('a', () => {});
    await h.settle();
    expect(h.creates).toBe(1);
    lease.release();
    await use;
  });
});

describe("replacement: 'overlap'", () => {
  test('the error of a use that waits for a permit names the permit, though an old instance is still in use', async () => {
    const h = new Harness({ acquireTimeoutMs: 1_000, maxConcurrentHydrations: 1 });
    h.rows.put('a');
    h.rows.put('b');
    await h.registry.acquire('a');
    h.holdCreate();
    h.registry.use('b', () => {}).catch(() => {});
    await h.settle();
    h.rows.put('a');
    const use = h.registry.use('a', () => {});
    use.catch(() => {});
    await h.clock.advance(1_000);
    await expect(use).rejects.toThrow('it was waiting for a permit');
  });

  test('a superseded instance drains beside its successor, and nothing waits for a dispose', async () => {
    const h = new Harness();
    h.rows.put('a');
    const lease = await h.registry.acquire('a');
    h.holdDispose();
    h.rows.put('a');
    expect(await h.registry.use('a', ({ row }) => row.version)).toBe('v2');
    expect(lease.stale).toBe(true);
    lease.release();
    expect(await h.registry.use('a', ({ row }) => row.version)).toBe('v2');
  });
});
