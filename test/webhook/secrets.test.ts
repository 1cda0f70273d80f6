import { afterEach, describe, expect, test, vi } from 'vitest';
import { post, seen, webhookHarness } from '../support/webhooks.js';

afterEach(() => { vi.restoreAllMocks(); });

const down = (): never => { throw new Error('vendor down'); };
const forged = (): Request => post('x', { secret: 'forged' });

describe('a forged request for a connection that backs off is answered 401', () => {
  test.each<{ what: string; factory: object }>([
    { what: 'whose factory has no secrets', factory: {} },
    { what: 'whose secrets are known', factory: { secrets: async () => 'k' } },
  ])('$what', async ({ factory }) => {
    const h = webhookHarness({ factory: { create: down, ...factory } });
    h.rows.put('a');
    expect(await seen(await h.registry.handleWebhook('a', post()))).toMatchObject({ code: 'HYDRATION_FAILED' });
    expect(await seen(await h.registry.handleWebhook('a', post()))).toMatchObject({ code: 'BACKING_OFF' });
    expect(await seen(await h.registry.handleWebhook('a', forged()))).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
  });
});

describe('secrets that fail', () => {
  test('fail as a hydrate does: the error, the event and the sender have the same delay', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.999);
    const cause = new Error('vault sealed');
    const h = webhookHarness({
      failureBackoff: { initialMs: 4_000, maxMs: 60_000 },
      factory: {
        secrets: async () => {
          throw cause;
        },
      },
    });
    h.rows.put('a');
    expect(await seen(await h.registry.handleWebhook('a', post()))).toEqual({
      status: 503,
      code: 'HYDRATION_FAILED',
      retryAfter: '4',
    });
    const [told] = h.eventsOf('hydrationFailed');
    expect(told).toEqual({
      id: 'a',
      version: 'v1',
      error: expect.any(Error),
      failures: 1,
      retryAfterMs: expect.closeTo(4_000, -2),
    });
    expect(told.error).toMatchObject({ code: 'HYDRATION_FAILED', connectionId: 'a', cause, retryAfterMs: told.retryAfterMs });
  });

  test('fail once for all deliveries that waited for the same call', async () => {
    const h = webhookHarness({ factory: { secrets: async () => { throw new Error('vault sealed'); } } });
    h.rows.put('a');
    const answers = await Promise.all([1, 2, 3].map(() => h.registry.handleWebhook('a', post())));
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);
    expect(h.eventsOf('hydrationFailed').map(({ failures }) => failures)).toEqual([1]);
  });
});
