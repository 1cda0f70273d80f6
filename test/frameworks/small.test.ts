import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { node } from '@elysiajs/node';
import { bodyParser } from '@koa/bodyparser';
import { Elysia } from 'elysia';
import { createApp, createRouter, defineEventHandler, getRouterParam, readBody, toNodeListener, toWebRequest } from 'h3';
import { toNodeHandler } from 'hydrant/node';
import Koa from 'koa';
import { expect, test } from 'vitest';
import { createBots, exercise, EXPECTED } from './support/bots.js';

async function serving<T>(listener: RequestListener, work: (base: string) => Promise<T>): Promise<T> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  try {
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** The recipe of the guide. Koa answers 404 unless `respond` is false. */
function koaWebhook(registry: ReturnType<typeof createBots>['registry'], onError?: (error: unknown) => void): Koa.Middleware {
  return async (context, next) => {
    const id = /^\/webhooks\/([^/]+)$/.exec(context.path)?.[1];
    if (id === undefined) return next();
    context.respond = false;
    toNodeHandler((request) => registry.handleWebhook(id, request), onError && { onError })(context.req, context.res);
  };
}

test('Koa: before the body parser', async () => {
  const { registry } = createBots();
  const app = new Koa().use(koaWebhook(registry)).use(bodyParser()).use((context) => { context.body = 'elsewhere'; });
  expect(
    await serving(app.callback(), async (base) => ({ webhooks: await exercise(base), other: await (await fetch(base)).text() })),
  ).toEqual({ webhooks: EXPECTED, other: 'elsewhere' });
  await registry.close();
});

test('Koa: after the body parser the failure names the fix', async () => {
  const { registry } = createBots();
  const told: string[] = [];
  const app = new Koa().use(bodyParser()).use(koaWebhook(registry, (error) => { told.push(String(error)); }));
  expect(await serving(app.callback(), exercise)).toMatchObject({ good: { status: 500 } });
  expect(told[0]).toMatch(/before the body parser/);
  await registry.close();
});

test('h3', async () => {
  const { registry } = createBots();
  const router = createRouter().post(
    '/webhooks/:id',
    defineEventHandler((event) =>
      registry.handleWebhook(getRouterParam(event, 'id') ?? '', toWebRequest(event)),
    ),
  );
  expect(await serving(toNodeListener(createApp().use(router)), exercise)).toEqual(EXPECTED);
  await registry.close();
});

test('Elysia, on Node and with any fetch server', async () => {
  const { registry } = createBots();
  const app = new Elysia({ adapter: node() })
    .post('/webhooks/:id', ({ params, request }) => registry.handleWebhook(params.id, request), { parse: 'none' });
  expect(await serving(toNodeHandler((request) => app.handle(request)), exercise)).toEqual(EXPECTED);
  await registry.close();
});

test('h3: also after code that has read the body, because h3 keeps its bytes', async () => {
  const { registry } = createBots();
  const router = createRouter().post('/webhooks/:id', defineEventHandler(async (event) => {
    await readBody(event);
    return registry.handleWebhook(getRouterParam(event, 'id') ?? '', toWebRequest(event));
  }));
  expect(await serving(toNodeListener(createApp().use(router)), exercise)).toEqual(EXPECTED);
  await registry.close();
});

test('Elysia with its own body parser: the failure names the fix', async () => {
  const { registry } = createBots();
  const told: string[] = [];
  registry.on('webhookFailed', ({ error }) => { told.push(error.message); });
  const app = new Elysia({ adapter: node() })
    .post('/webhooks/:id', ({ body: _body, params, request }) => registry.handleWebhook(params.id, request));
  expect(await serving(toNodeHandler((request) => app.handle(request)), exercise)).toMatchObject({ good: { status: 500 } });
  expect(told[0]).toContain("In Elysia, give the route { parse: 'none' }");
  await registry.close();
});

test('Elysia, listening on Node by itself', async () => {
  const { registry } = createBots();
  const app = new Elysia({ adapter: node() })
    .post('/webhooks/:id', ({ params, request }) => registry.handleWebhook(params.id, request), { parse: 'none' });
  // Elysia's adapter does not tell which port it got for 0.
  const port = await serving(() => {}, async (base) => Number(new URL(base).port));
  await new Promise<void>((resolve) => { app.listen({ port, hostname: '127.0.0.1' }, () => resolve()); });
  expect(await exercise(`http://127.0.0.1:${port}`)).toEqual(EXPECTED);
  await app.server?.stop(true);
  await registry.close();
});
