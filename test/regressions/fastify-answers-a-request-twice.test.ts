import fastify from 'fastify';
import { fastifyWebhook } from 'hydrant/fastify';
import { expect, test } from 'vitest';
import { webhookHarness } from '../support/webhooks.js';

/* A hook of the host answers while the handler's Response is being read. */

const enough = (): Promise<unknown> => new Promise(setImmediate);

test.each(['GET', 'HEAD'] as const)('a body that fails after another response was sent changes nothing: %s', async (method) => {
  let answerInstead = (): void => {};
  const errors: unknown[] = [];
  const h = webhookHarness({
    factory: {
      authenticate: () => true,
      handleWebhook: () => new Response(new ReadableStream({
        pull: (controller) => {
          answerInstead();
          controller.error(new Error('of the source'));
        },
      }, { highWaterMark: 0 })),
    },
  });
  h.rows.put('a');
  const app = fastify();
  app.addHook('preHandler', async (_request, reply) => {
    answerInstead = () => void reply.code(202).header('x-is', 'theirs').send('theirs');
  });
  app.register(fastifyWebhook, { registry: h.registry, path: '/:connectionId', onError: (error) => void errors.push(error) });
  const answered = app.inject({ method, url: '/a' });
  if (method === 'HEAD') answerInstead();
  const { statusCode, headers, body } = await answered;
  await enough();
  expect({ statusCode, is: headers['x-is'], type: headers['content-type'], body: method === 'GET' ? body : 'theirs' })
    .toEqual(method === 'GET'
      ? { statusCode: 202, is: 'theirs', type: 'text/plain; charset=utf-8', body: 'theirs' }
      : { statusCode: 200, is: undefined, type: undefined, body: 'theirs' });
  expect(h.registry.inspect('a')?.leases).toBe(0);
});
