import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server, createSecureServer } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import express, { type RequestHandler } from 'express';
import fastify, { type FastifyPluginAsync } from 'fastify';
import { type ExpressWebhookOptions, expressWebhook } from 'hydrant/express';
import { fastifyWebhook, type FastifyWebhookOptions } from 'hydrant/fastify';
import { toNodeHandler } from 'hydrant/node';
import { describe, expectTypeOf, test } from 'vitest';

const registry = { handleWebhook: async (id: string, request: Request) => new Response(id + request.url) };

describe('toNodeHandler', () => {
  const handler = toNodeHandler(async (request) => new Response(request.url), {
    maxBodyBytes: 1,
    trustProxy: true,
    origin: 'https://h',
  });

  test('every Node server takes it', () => {
    createServer(handler);
    createHttpsServer(handler);
    createHttp2Server(handler);
    createSecureServer(handler);
    createServer().on('request', handler);
    expectTypeOf(handler).toBeCallableWith({} as IncomingMessage, {} as ServerResponse);
    expectTypeOf(handler).returns.toBeVoid();
  });

  test('Express takes it', () => {
    express().all('/x', handler).use(handler);
  });

  test('mistakes are refused', () => {
    // @ts-expect-error a string is no Response
    toNodeHandler(() => 'text');
    // @ts-expect-error a typo
    toNodeHandler(() => new Response(), { maxBodyByte: 1 });
  });
});

describe('expressWebhook', () => {
  test('Express takes it on every kind of route', () => {
    const app = express();
    app.all('/webhooks/:connectionId', expressWebhook(registry));
    app.post('/events', expressWebhook(registry, { connectionId: async (request, params) => params['team'] ?? request.url }));
    app.post(['/a/:connectionId', /^\/b/], expressWebhook(registry));
    app.use('/c/:connectionId', expressWebhook(registry));
    app.all('/files/*rest', expressWebhook(registry, { connectionId: 'rest' }));
    app.route('/d/:connectionId').post(expressWebhook(registry));
    express.Router().all('/:connectionId', express.raw({ type: '*/*' }), expressWebhook(registry));
    const dynamic: string = '/e/:connectionId';
    app.all(dynamic, expressWebhook(registry));
    const handler: RequestHandler = expressWebhook(registry);
    app.all('/f/:connectionId', handler);
  });

  test('a registry is any object with handleWebhook', () => {
    expressWebhook({ handleWebhook: async () => new Response() });
    // @ts-expect-error no promise
    expressWebhook({ handleWebhook: () => new Response() });
    // @ts-expect-error nothing that could handle anything
    expressWebhook({});
  });

  test('connectionId', () => {
    expectTypeOf<NonNullable<ExpressWebhookOptions['connectionId']>>().toEqualTypeOf<
      string | ((request: Request, params: Readonly<Record<string, string>>) => string | undefined | Promise<string | undefined>)
    >();
    // @ts-expect-error the registry's webhook.maxBodyBytes decides
    expressWebhook(registry, { maxBodyBytes: 1 });
    // @ts-expect-error a number is no id
    expressWebhook(registry, { connectionId: () => 7 });
  });
});

describe('fastifyWebhook', () => {
  test('Fastify takes it as a plugin, with its own options beside', () => {
    const app = fastify();
    app.register(fastifyWebhook, { registry, prefix: '/webhooks', path: '/:connectionId' });
    app.register(fastifyWebhook, {
      registry,
      path: '/x',
      connectionId: (request) => request.url,
      trustProxy: true,
      logLevel: 'warn',
    });
    app.register(fastifyWebhook, () => ({ registry, path: '/:connectionId' }));
    fastify({ http2: true }).register(fastifyWebhook, { registry, path: '/:connectionId' });
    fastify({ logger: true, trustProxy: true }).register(fastifyWebhook, { registry, path: '/:connectionId' });
    const plugin: FastifyPluginAsync<FastifyWebhookOptions> = fastifyWebhook;
    app.register(plugin, { registry, path: '/:connectionId' });
  });

  test('mistakes are refused', () => {
    const app = fastify();
    // @ts-expect-error no path
    app.register(fastifyWebhook, { registry });
    // @ts-expect-error no registry
    app.register(fastifyWebhook, { path: '/:connectionId' });
    // @ts-expect-error the registry's webhook.maxBodyBytes decides
    app.register(fastifyWebhook, { registry, path: '/:connectionId', maxBodyBytes: 1 });
  });
});
