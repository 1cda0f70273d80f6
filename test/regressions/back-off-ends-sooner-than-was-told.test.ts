import { afterEach, expect, test, vi } from 'vitest';
import type { ConnectionError } from 'hydrant';
import { deferred } from '../support/deferred.js';
import { Harness } from '../support/harness.js';

afterEach(() => { vi.restoreAllMocks(); });

test('a use and a webhook that fail with the same secrets are both backed off for as long as they were told', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.9);
  const secrets = deferred<string>();
  const h = new Harness({
    factory: { secrets: () => secrets.promise, authenticate: () => true, handleWebhook: () => new Response() },
  });
  const deliver = () => h.registry.handleWebhook('a', new Request('http://gateway.test/', { method: 'POST' }));
  const use = () => h.registry.use('a', () => {}).catch((error: ConnectionError) => error);
  h.rows.put('a');
  const response = deliver();
  const used = use();
  await h.settle();
  secrets.reject(new Error('the vault is sealed'));
  expect(await used).toMatchObject({ code: 'HYDRATION_FAILED', retryAfterMs: 450 });
  expect((await response).status).toBe(503);

  expect(h.eventsOf('hydrationFailed').map(({ retryAfterMs }) => retryAfterMs as number)).toEqual([450, 450]);
  await h.clock.advance(449);
  expect(await use()).toMatchObject({ code: 'BACKING_OFF', retryAfterMs: 1 });
  expect(await (await deliver()).json()).toMatchObject({ code: 'BACKING_OFF' });
});
