import { describe, expect, test } from 'vitest';
import { Harness, VersionedRows } from '../support/harness.js';
import { post, webhookHarness } from '../support/webhooks.js';

const freshness = { maxStaleMs: 1_000 };

describe('an instance exactly as old as the freshness bound', () => {
  const WAYS: Record<string, (h: Harness) => Promise<unknown>> = {
    'use': (h) => h.registry.use('a', () => {}),
    'acquire': async (h) => (await h.registry.acquire('a')).release(),
    'a use with a freshness of its own': (h) => h.registry.use('a', () => {}, { freshness }),
    'tryAcquire': async (h) => expect(h.registry.tryAcquire('a')).toBeDefined(),
    'a webhook': (h) => h.registry.handleWebhook('a', post()),
  };

  test.each(Object.entries(WAYS))('serves without a read: %s', async (_way, serve) => {
    const h = webhookHarness({ freshness, sweepIntervalMs: 0 });
    h.rows.put('a');
    await h.clock.advance(5_000);
    await h.registry.use('a', () => {});
    await h.clock.advance(1_000);
    await serve(h);
    expect(h.rows.reads).toHaveLength(1);
  });

  test('is awaited without a read while it is hydrated, if its row is fresh enough', async () => {
    const h = new Harness({ freshness });
    h.rows.put('a');
    const gate = h.holdCreate();
    const first = h.registry.use('a', ({ name }) => name);
    await h.settle();
    const second = h.registry.use('a', ({ name }) => name);
    gate.resolve();
    expect(await Promise.all([first, second])).toEqual(['a@v1#0', 'a@v1#0']);
    expect(h.rows.reads).toHaveLength(1);
  });

  test('needs a read one millisecond later', async () => {
    const h = new Harness({ freshness, sweepIntervalMs: 0 });
    h.rows.put('a');
    await h.clock.advance(5_000);
    await h.registry.use('a', () => {});
    await h.clock.advance(1_001);
    expect(h.registry.tryAcquire('a')).toBeUndefined();
    await h.registry.use('a', () => {});
    expect(h.rows.reads).toHaveLength(2);
  });
});

describe('reads from a store with getVersions', () => {
  const WAYS: Record<string, (h: Harness) => Promise<unknown>> = {
    'a use': (h) => h.registry.use('a', () => {}),
    'a webhook': (h) => h.registry.handleWebhook('a', post()),
  };

  test.each(Object.entries(WAYS))(
    '%s reads the row of a cold connection, and only the version of a live one',
    async (_way, serve) => {
      const rows = new VersionedRows();
      const h = webhookHarness({ store: rows });
      rows.put('a');
      await serve(h);
      expect({ reads: rows.reads, versionQueries: rows.versionQueries }).toEqual({ reads: ['a'], versionQueries: [] });
      await serve(h);
      expect({ reads: rows.reads, versionQueries: rows.versionQueries }).toEqual({ reads: ['a'], versionQueries: [['a']] });
    },
  );

  test('a webhook whose connection is invalidated while it is authenticated reads the row again, not the version', async () => {
    const rows = new VersionedRows();
    const h = webhookHarness({
      store: rows,
      factory: {
        authenticate: async () => {
          h.registry.invalidate('a');
          return true;
        },
      },
    });
    rows.put('a');
    expect((await h.registry.handleWebhook('a', post())).status).toBe(200);
    expect({ reads: rows.reads, versionQueries: rows.versionQueries }).toEqual({ reads: ['a', 'a'], versionQueries: [] });
  });

  test('a webhook that may be served stale while the store is down tries it once', async () => {
    const h = webhookHarness({ staleIfErrorMs: 30_000 });
    h.rows.put('a');
    await h.registry.use('a', () => {});
    h.rows.failure = new Error('connection refused');
    expect((await h.registry.handleWebhook('a', post())).status).toBe(200);
    expect(h.rows.reads).toHaveLength(2);
  });
});

test('synchronous work has released its lease when use returns', async () => {
  const h = new Harness({ freshness });
  h.rows.put('a');
  await h.registry.use('a', () => {});
  const done = h.registry.use('a', () => 'done');
  expect(h.registry.snapshot()).toMatchObject({ idle: 1, leased: 0 });
  expect(await done).toBe('done');
});

test.each([[null], [undefined], [0], ['then']])('work may return %s', async (result) => {
  const h = new Harness({ freshness });
  h.rows.put('a');
  await h.registry.use('a', () => {});
  expect(await h.registry.use('a', () => result)).toBe(result);
});
