import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { cloneRawRequest } from 'hono/request';
import { expressWebhook } from 'hydrant/express';
import { fastifyWebhook } from 'hydrant/fastify';
import { toNodeHandler } from 'hydrant/node';
import { afterEach } from 'vitest';
import { limitedTo } from './limited-registry.js';
// @ts-expect-error Express 4 is installed under another name and comes without types
import express4Untyped from 'express4';

export const express4 = express4Untyped as typeof express;

type Registry = Parameters<typeof expressWebhook>[0];

export const PARSERS = ['no parser', 'json', 'urlencoded', 'text', 'raw', 'json+rawBody', 'json elsewhere'] as const;
export type Parser = (typeof PARSERS)[number];
type Middleware = (req: any, res: any, next: (error?: unknown) => void) => void;

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((close) => close()));
});

export interface Listening {
  readonly port: number;
  readonly server: Server;
}

/** Listens on loopback until the test is over. */
export async function listen(listener: RequestListener | Server): Promise<Listening> {
  const server = typeof listener === 'function' ? createServer(listener) : listener;
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  open.push(() => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }));
  return { server, port: (server.address() as AddressInfo).port };
}

function middleware(parser: Parser, app: typeof express): Middleware | undefined {
  switch (parser) {
    case 'no parser': return undefined;
    case 'json': return app.json();
    case 'urlencoded': return app.urlencoded({ extended: false });
    case 'text': return app.text({ type: '*/*' });
    case 'raw': return app.raw({ type: '*/*' });
    case 'json+rawBody': return app.json({ verify: (req, _res, bytes) => { Object.assign(req, { rawBody: bytes }); } });
    // Express 4 sets the body to `{}` if it has not parsed it.
    case 'json elsewhere': return app.json({ type: 'application/never' });
  }
}

function expressApp(framework: typeof express) {
  return (registry: Registry, parser: Parser): Promise<Listening> => {
    const app = framework();
    const parse = middleware(parser, framework);
    if (parse !== undefined) app.use(parse);
    app.all('/webhooks/:connectionId', expressWebhook(registry));
    return listen(app);
  };
}

async function fastifyApp(registry: Registry, parser: Parser): Promise<Listening> {
  const app = fastify();
  if (parser === 'urlencoded' || parser === 'text' || parser === 'json') {
    app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, text, done) =>
      done(null, text),
    );
  }
  if (parser === 'raw') app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, bytes, done) => done(null, bytes));
  if (parser === 'json+rawBody') {
    // The plugin fastify-raw-body also listens to the stream that the parser reads.
    app.addHook('preParsing', (request, _reply, payload, done) => {
      const chunks: Buffer[] = [];
      payload.on('data', (chunk: Buffer) => chunks.push(chunk));
      payload.on('end', () => { Object.assign(request, { rawBody: Buffer.concat(chunks) }); });
      done(null, payload);
    });
  }
  app.register(fastifyWebhook, { registry, prefix: '/webhooks', path: '/:connectionId' });
  await app.ready();
  return listen(app.server);
}

function honoApp(registry: Registry, parser: Parser): Promise<Listening> {
  const app = new Hono();
  if (parser === 'json' || parser === 'text' || parser === 'urlencoded' || parser === 'raw') {
    app.use(async (c, next) => {
      await (parser === 'raw' ? c.req.arrayBuffer() : c.req.text());
      await next();
    });
  }
  const isRead = parser === 'json+rawBody';
  if (isRead) app.use(async (c, next) => { await c.req.json(); await next(); });
  app.all('/webhooks/:id', async (c) =>
    registry.handleWebhook(c.req.param('id'), isRead ? await cloneRawRequest(c.req) : c.req.raw),
  );
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
      open.push(() => new Promise((closed) => { server.close(closed); (server as Server).closeAllConnections(); }));
      resolve({ port, server: server as Server });
    });
  });
}

function nodeServer(registry: Registry, parser: Parser): Promise<Listening> {
  const handler = toNodeHandler((request) => registry.handleWebhook(new URL(request.url).pathname.split('/')[2] ?? '', request), {
    onError: () => undefined,
  });
  const parse = middleware(parser, express);
  return listen((req: IncomingMessage, res: ServerResponse) => {
    if (parse === undefined) handler(req, res);
    else parse(req, res, () => handler(req, res));
  });
}

/** Every framework with one route `/webhooks/:id`, behind a parser. */
export const FRAMEWORKS: Record<string, (registry: Registry, parser: Parser) => Promise<Listening>> = {
  'Express 5': expressApp(express),
  'Express 4': expressApp(express4),
  'Fastify 5': fastifyApp,
  Hono: honoApp,
  'node:http': nodeServer,
};

type Options = NonNullable<Parameters<typeof toNodeHandler>[1]>;

/** The adapters of routes leave the limit of bodies to the registry. */
function limited(registry: Registry, { maxBodyBytes = Infinity, ...options }: Options = {}) {
  return { registry: maxBodyBytes === Infinity ? registry : limitedTo(maxBodyBytes, registry), options };
}

function expressRoute(framework: typeof express) {
  return (given: Registry, all?: Options): Promise<Listening> => {
    const { registry, options } = limited(given, all);
    return listen(framework().all('/webhooks/:connectionId', expressWebhook(registry, options)));
  };
}

/** One route, `/webhooks/:connectionId`, for every adapter of this package, with a limit of bodies. */
export const ADAPTERS: Record<string, (registry: Registry, options?: Options) => Promise<Listening>> = {
  'Express 5': expressRoute(express),
  'Express 4': expressRoute(express4),
  async 'Fastify 5'(given, all) {
    const { registry, options } = limited(given, all);
    const app = fastify();
    app.register(fastifyWebhook, { ...options, registry, prefix: '/webhooks', path: '/:connectionId' });
    await app.ready();
    return listen(app.server);
  },
  'node:http': (registry, options) => listen(
    toNodeHandler((request) => registry.handleWebhook(new URL(request.url).pathname.split('/')[2] ?? '', request), options),
  ),
};

/** A registry whose webhooks are this function. */
export function answering(handleWebhook: (request: Request, id: string) => Response | Promise<Response>): Registry {
  return { handleWebhook: async (id, request) => handleWebhook(request, id) };
}
