import { describe, expect, test } from 'vitest';
import { post, seen, webhookHarness } from '../support/webhooks.js';

describe('G10 authenticated before hydrated', () => {
  test('a forged request costs one row read and one call for secrets: no create', async () => {
    let secrets = 0;
    const h = webhookHarness({
      factory: {
        secrets: async () => { secrets += 1; return { key: 'k' }; },
        authenticate: (request, context) => request.headers.get('x-secret') === (context.secrets as { key: string }).key,
      },
    });
    h.rows.put('a');
    expect(await seen(await h.registry.handleWebhook('a', post('x', { secret: 'forged' })))).toEqual({
      status: 401,
      code: 'UNAUTHENTICATED',
    });
    expect(h.rows.reads).toHaveLength(1);
    expect(secrets).toBe(1);
    await h.registry.handleWebhook('a', post('x', { secret: 'forged' }));
    expect(secrets).toBe(1);
    expect(h.creates).toBe(0);
    expect(h.registry.snapshot().connections).toEqual([]);
  });

  test('an authenticate that throws refuses the request, and an event reports it', async () => {
    const failure = new TypeError('signature header is missing');
    const h = webhookHarness({ factory: { authenticate: () => { throw failure; } } });
    h.rows.put('a');
    expect((await h.registry.handleWebhook('a', post())).status).toBe(401);
    expect(h.eventsOf('webhookFailed')).toMatchObject([
      { id: 'a', error: { code: 'UNAUTHENTICATED', cause: failure }, acknowledged: false },
    ]);
    expect(h.creates).toBe(0);
  });

  test('only a verdict of true lets a request in', async () => {
    for (const verdict of [undefined, null, 0, 1, 'yes', {}]) {
      const h = webhookHarness({ factory: { authenticate: () => verdict as never } });
      h.rows.put('a');
      expect((await h.registry.handleWebhook('a', post())).status).toBe(401);
      expect(h.creates).toBe(0);
    }
  });

  test('unknown ids are answered from the negative cache', async () => {
    const h = webhookHarness();
    for (let request = 0; request < 10; request += 1) {
      expect(await seen(await h.registry.handleWebhook('nobody', post()))).toEqual({ status: 404, code: 'CONNECTION_NOT_FOUND' });
    }
    expect(h.rows.reads).toHaveLength(1);
  });

  test('a flood of forgeries for thousands of cold connections does not delay genuine uses', async () => {
    const h = webhookHarness({ maxConcurrentHydrations: 1, maxQueuedHydrations: 0 });
    for (let id = 0; id < 1_000; id += 1) h.rows.put(`c${id}`);
    const flood = Array.from({ length: 1_000 }, (_, id) => h.registry.handleWebhook(`c${id}`, post('x', { secret: 'forged' })));
    const real = await h.registry.handleWebhook('c7', post());
    expect(real.status).toBe(200);
    expect(new Set((await Promise.all(flood)).map(({ status }) => status))).toEqual(new Set([401]));
    expect(h.creates).toBe(1);
  });

  test('a challenge is answered from the row alone, while cold', async () => {
    const h = webhookHarness({
      factory: { authenticate: async (request, { record }) => new Response(`${record.token} ${await request.text()}`) },
    });
    h.rows.put('a', { token: 'challenge' });
    expect(await seen(await h.registry.handleWebhook('a', post('123')))).toEqual({ status: 200, body: 'challenge 123' });
    expect(h.creates).toBe(0);
  });

  test('concurrent requests call secrets once per version, and once more after invalidate', async () => {
    let calls = 0;
    const h = webhookHarness({ factory: { secrets: async () => { calls += 1; return calls; } } });
    h.rows.put('a');
    await Promise.all(Array.from({ length: 20 }, () => h.registry.handleWebhook('a', post())));
    expect(calls).toBe(1);
    h.rows.put('a');
    await h.registry.handleWebhook('a', post());
    expect(calls).toBe(2);
    h.registry.invalidate('a');
    await h.registry.handleWebhook('a', post());
    expect(calls).toBe(3);
  });

  test('secrets that fail are answered 503, and are not requested again for every delivery', async () => {
    let calls = 0;
    const h = webhookHarness({ factory: { secrets: async () => { calls += 1; throw new Error('vault sealed'); } } });
    h.rows.put('a');
    expect(await seen(await h.registry.handleWebhook('a', post()))).toMatchObject({ status: 503, code: 'HYDRATION_FAILED' });
    expect(await seen(await h.registry.handleWebhook('a', post()))).toMatchObject({ status: 503, code: 'BACKING_OFF' });
    expect(calls).toBe(1);
    await h.clock.advance(60_000);
    await h.registry.handleWebhook('a', post());
    expect(calls).toBe(2);
  });

  test('a call of secrets that hangs is given up, and the next delivery calls again', async () => {
    let calls = 0;
    const h = webhookHarness({
      hydrationTimeoutMs: 1_000, failureBackoff: { initialMs: 0, maxMs: 0 },
      factory: { secrets: () => { calls += 1; return calls === 1 ? new Promise(() => {}) : Promise.resolve('k'); } },
    });
    h.rows.put('a');
    const hung = h.registry.handleWebhook('a', post());
    await h.clock.advance(1_000);
    expect((await hung).status).toBe(503);
    expect((await h.registry.handleWebhook('a', post())).status).toBe(200);
  });

  test('a hydrate does not wait behind calls of secrets for unauthenticated senders', async () => {
    const asked: string[] = [];
    const h = webhookHarness({
      hydrationTimeoutMs: 1_000,
      factory: {
        secrets: ({ id }: { id: string }) => {
          asked.push(id);
          return id.startsWith('c') ? new Promise(() => {}) : Promise.resolve('k');
        },
      },
    });
    for (let id = 0; id < 200; id += 1) h.rows.put(`c${id}`);
    h.rows.put('known');
    h.rows.put('real');
    const flood = Array.from({ length: 200 }, (_, id) => h.registry.handleWebhook(`c${id}`, post('x', { secret: 'forged' })));
    await h.clock.advance(0);
    expect(asked).toHaveLength(64);
    await h.registry.use('known', () => {});
    const forged = h.registry.handleWebhook('real', post('x', { secret: 'forged' }));
    await h.clock.advance(0);
    await h.registry.use('real', () => {});
    expect(asked.slice(64), 'not even behind a stranger of the same connection').toEqual(['known', 'real']);
    expect(h.clock.monotonic()).toBe(0);

    await h.clock.advance(10_000);
    expect((await forged).status, 'checked with the secrets of the hydrate').toBe(401);
    expect((await Promise.all(flood)).every(({ status }) => status === 503)).toBe(true);
    expect(asked.filter((id) => id === 'real')).toHaveLength(1);
  });

  test('secrets that were invalidated while queued are requested later, and then kept', async () => {
    let calls = 0;
    const h = webhookHarness({ factory: { secrets: async () => { calls += 1; return 'k'; } } });
    h.rows.put('a');
    const read = h.registry.handleWebhook('a', post('x', { secret: 'forged' }));
    const secretsAreAboutToBeCalled = (): boolean => h.rows.reads.length > 0 && calls === 0;
    for (let hop = 0; hop < 40; hop += 1) {
      if (secretsAreAboutToBeCalled()) h.registry.invalidate('a');
      await undefined;
    }
    expect(calls).toBe(1);
    expect((await read).status).toBe(401);
    await h.registry.use('a', () => {});
    expect(calls).toBe(1);
  });

  test('a cold webhook costs one row read, for authentication and hydrate together', async () => {
    const h = webhookHarness();
    h.rows.put('a');
    expect((await h.registry.handleWebhook('a', post())).status).toBe(200);
    expect(h.rows.reads).toHaveLength(1);
  });

  test('after an invalidate between authentication and lease, the row is read again', async () => {
    const h = webhookHarness({ factory: { authenticate: async () => { h.registry.invalidate('a'); return true; } } });
    h.rows.put('a');
    expect((await h.registry.handleWebhook('a', post())).status).toBe(200);
    expect(h.rows.reads).toHaveLength(2);
    expect(h.registry.snapshot()).toMatchObject({ idle: 1 });
  });
});
