/**
 * A gateway in a process of its own, which says on request how much memory it holds. Its arguments name the framework, and
 * that the store is slow.
 */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { ConnectionRegistry } from 'hydrant';
import { expressWebhook } from 'hydrant/express';
import { fastifyWebhook } from 'hydrant/fastify';
import { toNodeHandler } from 'hydrant/node';

const [, , framework = '', slow] = process.argv;

const registry = new ConnectionRegistry({
  store: {
    get: (id) => (slow === undefined ? Promise.resolve({ id, version: 1, status: 'active' as const }) : new Promise(() => {})),
  },
  storeTimeoutMs: 300_000,
  acquireTimeoutMs: 300_000,
  factory: { create: () => ({}), authenticate: () => false, handleWebhook: () => new Response() },
});
registry.on('webhookFailed', () => {});

const listening = (listener: RequestListener): Server => createServer(listener).listen(0, '127.0.0.1');

const FRAMEWORKS: Record<string, () => Promise<Server>> = {
  node: async () => listening(toNodeHandler(
    (request) => registry.handleWebhook(new URL(request.url).pathname.split('/')[2] ?? '', request),
    { onError: () => undefined },
  )),
  'a handler that reads the text': async () => listening(toNodeHandler(
    async (request) => new Response(await request.text()), { onError: () => undefined },
  )),
  express: async () => listening(express().all('/webhooks/:connectionId', expressWebhook(registry))),
  async fastify() {
    const app = fastify({ requestTimeout: 0 });
    app.register(fastifyWebhook, { registry, prefix: '/webhooks', path: '/:connectionId' });
    await app.listen({ port: 0, host: '127.0.0.1' });
    return app.server;
  },
  async hono() {
    const app = new Hono();
    app.all('/webhooks/:id', (c) => registry.handleWebhook(c.req.param('id'), c.req.raw));
    return serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server;
  },
};

const server = await (FRAMEWORKS[framework] ?? (() => Promise.reject(new Error('no such framework'))))();
if (!server.listening) await new Promise((resolve) => server.once('listening', resolve));

process.on('message', () => {
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  process.send?.({ heldBytes: heapUsed + external, rss });
});
process.on('disconnect', () => process.exit(0));
process.send?.({ port: (server.address() as AddressInfo).port });
