import { afterEach, expect, test, vi } from 'vitest';
import { deferred } from '../support/deferred.js';
import { Harness } from '../support/harness.js';

afterEach(() => { vi.restoreAllMocks(); });

test('a hydrate and a webhook that fail of the same secrets are both told of a back-off that lasts as long', async () => {
  vi.spyOn(Math, 'random').mockReturnValueOnce(0.9).mockReturnValue(0.1);
  const secrets = deferred<string>();
  const h = new Harness({ factory: { secrets: () => secrets.promise, authenticate: () => true, handleWebhook: () => new Response() } });
  h.rows.put('a');
  const response = h.registry.handleWebhook('a', new Request('http://gateway.test/', { method: 'POST' }));
  const use = h.registry.use('a', () => {}).catch((error: { code: string }) => error.code);
  await h.settle();
  secrets.reject(new Error('the vault is sealed'));
  expect(await use).toBe('HYDRATION_FAILED');
  expect((await response).status).toBe(503);

  const told = h.eventsOf('hydrationFailed').map(({ retryAfterMs }) => retryAfterMs as number);
  expect(told).toHaveLength(2);
  await h.clock.advance(Math.max(...told) - 1);
  await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'BACKING_OFF' });
});
