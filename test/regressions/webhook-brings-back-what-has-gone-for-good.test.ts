import { describe, expect, test } from 'vitest';
import { deferred, type Deferred } from '../support/deferred.js';
import { Harness, type HarnessOptions } from '../support/harness.js';

/** A webhook that has read the first version of its row, and is being authenticated. */
async function authenticating(
  options: HarnessOptions = {},
): Promise<{ h: Harness; served: string[]; authenticated: Deferred<boolean>; response: Promise<Response> }> {
  const authenticated = deferred<boolean>();
  const served: string[] = [];
  const h = new Harness({
    ...options,
    factory: {
      authenticate: () => authenticated.promise,
      handleWebhook: ({ name }) => {
        served.push(name);
        return new Response();
      },
      ...options.factory,
    },
  });
  h.rows.put('a');
  const response = h.registry.handleWebhook('a', new Request('http://gateway.test/a', { method: 'POST' }));
  await h.settle();
  h.rows.put('a');
  return { h, served, authenticated, response };
}

describe('a webhook whose row was edited while it was authenticated does not bring the old version back', () => {
  test('when the instance of the new version was evicted', async () => {
    const { h, served, authenticated, response } = await authenticating({ maxInstances: 1 });
    await h.registry.use('a', () => {});
    h.rows.put('b');
    await h.registry.use('b', () => {});
    await h.settle();
    expect(h.log).toEqual(['create a@v2', 'create b@v3', 'dispose a@v2 evicted']);
    authenticated.resolve(true);
    await response;
    expect(served).toEqual(['a@v2#2']);
  });

  test('when the new version failed and there is no back-off', async () => {
    const { h, served, authenticated, response } = await authenticating({ failureBackoff: { initialMs: 0, maxMs: 0 } });
    const create = h.holdCreate();
    const use = h.registry.use('a', () => {});
    await h.settle();
    create.reject(new Error('no'));
    await expect(use).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
    authenticated.resolve(true);
    await response;
    expect(served).toEqual(['a@v2#1']);
  });

  test('when all callers of the new version left while it was created', async () => {
    const { h, served, authenticated, response } = await authenticating();
    const create = h.holdCreate();
    const controller = new AbortController();
    const use = h.registry.use('a', () => {}, { signal: controller.signal });
    await h.settle();
    controller.abort(new Error('left'));
    await expect(use).rejects.toThrow('left');
    create.reject(new Error('aborted'));
    await h.settle();
    authenticated.resolve(true);
    await response;
    expect(served).toEqual(['a@v2#1']);
  });

  test('when the new version was forgotten because many other rows were read since', async () => {
    const { h, served, authenticated, response } = await authenticating({
      maxInstances: 1,
      maxQueuedHydrations: 20_000,
      maxConcurrentHydrations: 20_000,
    });
    await h.registry.use('a', () => {});
    const others = Array.from({ length: 10_001 }, (_, index) => `b${index}`);
    for (const id of others) h.rows.put(id);
    await Promise.all(others.map((id) => h.registry.use(id, () => {})));
    await h.settle();
    authenticated.resolve(true);
    await response;
    expect(served.map((name) => name.slice(0, 4))).toEqual(['a@v2']);
  });
});
