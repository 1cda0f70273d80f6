import { describe, expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { Harness, type Row } from '../support/harness.js';
import { post, webhookHarness } from '../support/webhooks.js';

describe("'drain-first' creates the successor from a row that was read after dispose had written to it", () => {
  const open = (options = {}): Harness => new Harness({ replacement: 'drain-first', ...options });
  type Ending = (h: Harness) => unknown;
  const ENDINGS: Record<string, Ending> = {
    evicted: (h) => h.registry.use('b', () => {}),
    invalidated: (h) => { h.registry.invalidate('a'); },
    edited: (h) => { h.rows.put('a', { token: 'edited' }); },
    retired: (h) => h.registry.use('a', (_instance, lease) => lease.retire()),
  };
  /** Each `dispose` writes to the row, as late as it can. */
  const writing = (options = {}): Harness => {
    const h: Harness = open({
      failureBackoff: { initialMs: 0, maxMs: 0 }, ...options,
      factory: {
        async dispose(instance: { row: Row }) {
          await h.dispose(instance as never, 'evicted');
          if (instance.row.id === 'a') h.rows.put('a', { token: `written by ${instance.row.token}` });
        },
      },
    });
    h.rows.put('a', { token: 'first' });
    h.rows.put('b');
    return h;
  };

  test.each(Object.keys(ENDINGS))('%s, and used while the dispose runs', async (how) => {
    const h = writing({ maxInstances: how === 'evicted' ? 1 : 10 });
    await h.registry.use('a', () => {});
    const slow = h.holdDispose();
    await (ENDINGS[how] as Ending)(h);
    const uses = [h.registry.use('a', ({ row }) => row.token), h.registry.use('a', ({ row }) => row.token)];
    await h.settle();
    slow.resolve();
    expect(await Promise.all(uses)).toEqual(['written by first', 'written by first']);
    expect(h.log.filter((line) => line.startsWith('create a'))).toHaveLength(2);
  });

  test.each(Object.keys(ENDINGS))('%s, with a read on the wire when the dispose ends', async (how) => {
    const h = writing({ maxInstances: how === 'evicted' ? 1 : 10 });
    await h.registry.use('a', () => {});
    const slow = h.holdDispose();
    await (ENDINGS[how] as Ending)(h);
    if (how === 'edited') {
      h.registry.use('a', () => {}, { timeoutMs: 0 }).catch(() => {});
      await h.settle();
    }
    h.rows.hold();
    const use = h.registry.use('a', ({ row }) => row.token);
    await h.settle();
    h.rows.letGo();
    slow.resolve();
    await h.settle();
    h.rows.letAllGo();
    expect(await use).toBe('written by first');
  });

  test('a webhook authenticated with the earlier row is served by an instance of the later row', async () => {
    const gate = deferred();
    const h: Harness = writing({ maxInstances: 1 });
    const served = webhookHarness({
      store: h.rows, replacement: 'drain-first', maxInstances: 1,
      factory: {
        authenticate: async (_request, { record }) => { if (record.token === 'first') await gate.promise; return true; },
        async dispose(instance) { await slow.promise; if (instance.row.id === 'a') h.rows.put('a', { token: 'after' }); },
        handleWebhook: ({ row }) => new Response(row.token),
      },
    });
    const slow = deferred();
    await served.registry.use('a', () => {});
    await served.registry.use('b', () => {});
    const delivery = served.registry.handleWebhook('a', post());
    await served.settle();
    slow.resolve();
    await served.settle();
    gate.resolve();
    expect(await (await delivery).text()).toBe('after');
  });

  test('a stop written by dispose takes effect', async () => {
    const h: Harness = open({ factory: { dispose: () => { h.rows.stop('a'); } } });
    h.rows.put('a');
    const lease = await h.registry.acquire('a');
    h.rows.put('a');
    const use = h.registry.use('a', () => {});
    await h.settle();
    lease.release();
    await expect(use).rejects.toMatchObject({ code: 'CONNECTION_STOPPED' });
  });

  test('the late dispose of a create that had timed out counts as well', async () => {
    const h = writing({ hydrationTimeoutMs: 1_000, maxConcurrentHydrations: 1 });
    const late = h.holdCreate();
    const first = h.registry.use('a', () => {});
    first.catch(() => {});
    await h.clock.advance(1_000);
    await expect(first).rejects.toMatchObject({ code: 'HYDRATION_TIMEOUT' });
    const busy = h.holdCreate();
    const other = h.registry.use('b', () => {});
    await h.settle();
    const queued = h.registry.use('a', ({ row }) => row.token);
    await h.settle();
    late.resolve();
    await h.settle();
    busy.resolve();
    await other;
    expect(await queued).toBe('written by first');
  });
});
