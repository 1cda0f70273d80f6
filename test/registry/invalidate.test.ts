import { afterEach, describe, expect, test, vi } from 'vitest';
import { Harness } from '../support/harness.js';
import { post, seen, webhookHarness } from '../support/webhooks.js';

afterEach(() => { vi.restoreAllMocks(); });

/** Whether a promise has resolved by now. */
async function isOver(h: Harness, promise: Promise<void>): Promise<boolean> {
  let over = false;
  void promise.then(() => { over = true; });
  await h.settle();
  return over;
}

describe.each(['invalidate', 'invalidateWhere'] as const)('the promise of %s', (verb) => {
  const end = (h: Harness): Promise<void> =>
    verb === 'invalidate' ? h.registry.invalidate('a') : h.registry.invalidateWhere(({ id }) => id === 'a');
  const open = (options = {}): Harness => {
    const h = new Harness(options);
    h.rows.put('a');
    return h;
  };

  test('resolves at once if there is no instance', async () => {
    await end(open());
  });

  test('resolves when an idle instance has been disposed of', async () => {
    const h = open();
    await h.registry.use('a', () => {});
    const slow = h.holdDispose();
    const ended = end(h);
    expect(await isOver(h, ended)).toBe(false);
    slow.resolve();
    expect(await isOver(h, ended)).toBe(true);
  });

  test('waits for leases and, at the latest, for the drain deadline', async () => {
    const h = open({ drainTimeoutMs: 1_000 });
    const lease = await h.registry.acquire('a');
    const ended = end(h);
    await h.clock.advance(999);
    expect(await isOver(h, ended)).toBe(false);
    await h.clock.advance(1);
    expect(await isOver(h, ended)).toBe(true);
    expect(lease.signal.aborted).toBe(true);
  });

  test('waits for a create that nobody waits for any more', async () => {
    const h = open();
    const gate = h.holdCreate();
    const caller = new AbortController();
    const use = h.registry.use('a', () => {}, { signal: caller.signal }).catch(() => {});
    await h.settle();
    const ended = end(h);
    caller.abort();
    await use;
    expect(await isOver(h, ended)).toBe(false);
    gate.resolve();
    expect(await isOver(h, ended)).toBe(true);
  });

  test('resolves when a dispose has timed out or thrown', async () => {
    const h = open({ disposeTimeoutMs: 500 });
    await h.registry.use('a', () => {});
    h.holdDispose();
    const hung = end(h);
    await h.clock.advance(499);
    expect(await isOver(h, hung)).toBe(false);
    await h.clock.advance(1);
    await hung;
    const broken = new Harness({ factory: { dispose: () => { throw new Error('no'); } } });
    broken.rows.put('a');
    await broken.registry.use('a', () => {});
    await end(broken);
  });

  test('waits for an instance that was being created, and for its waiters to let it go', async () => {
    const h = open();
    const gate = h.holdCreate();
    const acquired = h.registry.acquire('a');
    await h.settle();
    const ended = end(h);
    gate.resolve();
    const lease = await acquired;
    expect(await isOver(h, ended)).toBe(false);
    lease.release();
    await ended;
    expect(h.log).toEqual(['create a@v1', 'dispose a@v1 invalidated']);
  });

  test('resolves when a create that never settles has timed out', async () => {
    const h = open({ hydrationTimeoutMs: 1_000 });
    h.holdCreate();
    h.registry.use('a', () => {}).catch(() => {});
    await h.settle();
    const ended = end(h);
    await h.clock.advance(1_000);
    await ended;
  });

  test('waits for an instance of a row that was being read', async () => {
    const h = open();
    h.rows.hold();
    const acquired = h.registry.acquire('a');
    await h.settle();
    const ended = end(h);
    h.rows.letAllGo();
    const lease = await acquired;
    expect({ stale: lease.stale, over: await isOver(h, ended) }).toEqual({ stale: true, over: false });
    lease.release();
    await ended;
  });

  test('does not wait for instances that other calls have ended', async () => {
    const h = open();
    const held = await h.registry.acquire('a');
    h.rows.put('a');
    await h.registry.use('a', () => {});
    await end(h);
    expect(held.stale).toBe(true);
  });
});

describe('invalidateWhere', () => {
  const tenant = (token: string) => (row: { token: string }): boolean => row.token === token;

  test('ends the instances whose row matches, and no others', async () => {
    const h = new Harness();
    for (const id of ['a', 'b', 'c']) h.rows.put(id, { token: id === 'b' ? 'other' : 'mine' });
    for (const id of ['a', 'b', 'c']) await h.registry.use(id, () => {});
    await h.registry.invalidateWhere(tenant('mine'));
    expect(h.log.filter((line) => line.startsWith('dispose'))).toEqual(['dispose a@v1 invalidated', 'dispose c@v3 invalidated']);
  });

  test('a predicate that throws on a row matches it, and the promise never rejects', async () => {
    const h = new Harness();
    for (const id of ['a', 'b']) { h.rows.put(id); await h.registry.use(id, () => {}); }
    await h.registry.invalidateWhere(({ id }) => { if (id === 'a') throw new Error('no'); return false; });
    expect(h.log.at(-1)).toBe('dispose a@v1 invalidated');
    expect(h.disposes).toBe(1);
  });

  test('drops secrets and failures of connections that have no instance', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    let asked = 0;
    let failing = true;
    const h: Harness = webhookHarness({
      idleTimeoutMs: 1, sweepIntervalMs: 0,
      factory: {
        secrets: async () => { asked += 1; return asked; },
        create: (row, context) => { if (row.id === 'b' && failing) throw new Error('no'); return h.create(row, context); },
      },
    });
    h.rows.put('a', { token: 'mine' });
    h.rows.put('b', { token: 'mine' });
    await h.registry.use('a', () => {});
    await h.registry.use('b', () => {}).catch(() => {});
    await h.clock.advance(10);
    expect(h.registry.snapshot().live).toBe(0);
    failing = false;
    await h.registry.invalidateWhere(tenant('other'));
    await expect(h.registry.use('b', () => {})).rejects.toMatchObject({ code: 'BACKING_OFF' });
    await h.registry.invalidateWhere(tenant('mine'));
    await h.registry.use('a', () => {});
    await h.registry.use('b', () => {});
    expect(asked).toBe(4);
  });

  test('a row on the wire that does not match is hydrated normally', async () => {
    const h = new Harness();
    h.rows.put('a', { token: 'mine' });
    h.rows.hold();
    const acquired = h.registry.acquire('a');
    await h.settle();
    const ended = h.registry.invalidateWhere(tenant('other'));
    h.rows.letAllGo();
    const lease = await acquired;
    await ended;
    expect(lease.stale).toBe(false);
    lease.release();
  });
});

test('an invalidate called synchronously by secrets also drops these secrets', async () => {
  let asked = 0;
  const h: Harness = webhookHarness({
    factory: {
      secrets: ({ id }) => {
        asked += 1;
        if (asked === 1) void h.registry.invalidate(id);
        return asked;
      },
    },
  });
  h.rows.put('a');
  await h.registry.use('a', () => {});
  await h.registry.use('a', () => {});
  expect({ asked, made: h.contexts.map(({ secrets }) => secrets) }).toEqual({ asked: 2, made: [1, 2] });
  expect(await seen(await h.registry.handleWebhook('a', post()))).toMatchObject({ status: 200 });
});
