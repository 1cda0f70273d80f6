import { describe, expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import type { Harness } from '../support/harness.js';
import { post, streamingHarness, webhookHarness } from '../support/webhooks.js';

const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

async function statusOf(h: Harness, delivery: Promise<Response>, ms = 100_000): Promise<number | 'hangs'> {
  let result: number | 'hangs' = 'hangs';
  void delivery.then(({ status }) => { result = status; });
  await h.clock.advance(ms);
  await turn();
  await h.settle();
  return result;
}

const read = async (): Promise<Response> => { const response = new Response('x'); await response.text(); return response; };
const foreign = (fields: object): never => ({ statusText: '', headers: new Headers(), ...fields }) as never;

describe('a Response that cannot be sent is answered 500, and its lease is released', () => {
  test.each<{ what: string; handleWebhook: () => Response | Promise<Response> }>([
    { what: 'read already', handleWebhook: read },
    {
      what: 'locked',
      handleWebhook: () => {
        const response = new Response('x');
        response.body?.getReader();
        return response;
      },
    },
    { what: 'of another fetch, without a web stream', handleWebhook: () => foreign({ status: 200, body: { pipe() {} } }) },
    {
      what: 'with a chunk that is null',
      handleWebhook: () =>
        new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(null);
              controller.close();
            },
          }),
        ),
    },
    {
      what: '204 with a body',
      handleWebhook: () =>
        foreign({
          status: 204,
          body: new ReadableStream({
            start(controller) {
              controller.close();
            },
          }),
        }),
    },
  ])('$what', async ({ handleWebhook }) => {
    const h = webhookHarness({ factory: { handleWebhook } });
    h.rows.put('a');
    expect(await statusOf(h, h.registry.handleWebhook('a', post()))).toBe(500);
    expect(h.registry.snapshot().leased).toBe(0);
  });
});

const acknowledge = { afterMs: 2_000, respond: () => new Response('ack') };

test('an acknowledgement is sent although the waitUntil of the platform throws, and that is reported', async () => {
  const h = webhookHarness({ factory: { handleWebhook: () => new Promise(() => {}), acknowledge } });
  h.rows.put('a');
  const platform = { waitUntil() { throw new TypeError('Illegal invocation'); } };
  expect(await statusOf(h, h.registry.handleWebhook('a', post(), platform), 10_000)).toBe(200);
  expect(h.eventsOf('webhookFailed')).toHaveLength(1);
});

test('the platform waits until respondToFailure has settled', async () => {
  const posted = deferred();
  const work = deferred<Response>();
  let started = false;
  const h = webhookHarness({
    factory: {
      handleWebhook: () => work.promise,
      acknowledge,
      respondToFailure: async (_failure, _request, { acknowledged }) => {
        if (acknowledged) {
          started = true;
          await posted.promise;
        }
        return undefined;
      },
    },
  });
  h.rows.put('a');
  let over = 0;
  const response = h.registry.handleWebhook('a', post(), { waitUntil(told) { void told.then(() => { over += 1; }); } });
  await h.clock.advance(2_000);
  expect((await response).status).toBe(200);
  work.reject(new Error('late'));
  await h.settle();
  expect({ started, over }).toEqual({ started: true, over: 0 });
  posted.resolve();
  await h.settle();
  expect(over).toBe(1);
});

test.each<{ what: string; make: () => Response | Promise<Response> }>([
  { what: 'cannot be cancelled', make: () => new Response(new ReadableStream({ cancel() { throw new Error('no'); } })) },
  { what: 'was read already', make: read },
])('after an acknowledgement, a response that $what does not count as a failure', async ({ make }) => {
  const gate = deferred();
  const failures: unknown[] = [];
  const h = webhookHarness({
    factory: {
      handleWebhook: async () => {
        await gate.promise;
        return make();
      },
      acknowledge,
      respondToFailure: (failure) => {
        failures.push(failure.cause);
        return undefined;
      },
    },
  });
  h.rows.put('a');
  const response = h.registry.handleWebhook('a', post());
  await h.clock.advance(2_000);
  await response;
  gate.resolve();
  await h.settle();
  await turn();
  expect(failures).toEqual([]);
  expect(h.registry.snapshot().leased).toBe(0);
});

test('the factory is not called for a webhook that has timed out', async () => {
  const calls: string[] = [];
  const secrets = deferred<string>();
  const h = webhookHarness({
    hydrationTimeoutMs: 60_000,
    factory: {
      secrets: () => secrets.promise,
      authenticate: () => {
        calls.push('authenticate');
        return true;
      },
    },
  });
  h.rows.put('a');
  const response = h.registry.handleWebhook('a', post());
  await h.clock.advance(30_000);
  expect((await response).status).toBe(503);
  secrets.resolve('s');
  await h.settle();
  expect(calls).toEqual([]);
});

test('a body that breaks off at once holds no lease', async () => {
  const h = streamingHarness({ pull(controller) { controller.error(new Error('gone')); } });
  await h.registry.handleWebhook('a', post());
  await h.settle();
  expect(h.registry.snapshot().leased).toBe(0);
});
