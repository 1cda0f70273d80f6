import { createServer as createHttp2Server, connect, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import express from 'express';
import fastify from 'fastify';
import { expressWebhook } from 'hydrant/express';
import { fastifyWebhook } from 'hydrant/fastify';
import { toNodeHandler } from 'hydrant/node';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { send } from '../adapters/support/clients.js';
import { ADAPTERS, answering, listen, type Listening } from '../adapters/support/servers.js';
import { collectUnhandled } from '../fuzz/campaign.js';
import { startUpstream, UPSTREAM_ANSWERS } from '../fuzz/odd-upstream.js';

let upstream: Awaited<ReturnType<typeof startUpstream>>;
beforeAll(async () => { upstream = await startUpstream(); });
afterAll(() => upstream.close());
const relay = (answer: string): Promise<Response> => fetch(`${upstream.url}/${UPSTREAM_ANSWERS.indexOf(answer)}?tenant`);

/** Like middleware that checks every head. */
function refusingAnyHead<R extends { writeHead: unknown }>(res: R): R {
  res.writeHead = () => { throw new Error('of the middleware'); };
  return res;
}

describe.each(Object.keys(ADAPTERS))('%s relays a response of fetch', (adapter) => {
  const serve = ADAPTERS[adapter]!;

  test.each([
    'a reason phrase beyond Latin-1',
    'a trailer on a known length',
    'a trailer after chunks',
    'hop-by-hop headers',
    'no length',
  ])('%s', async (answer) => {
    const { port } = await serve(answering(() => relay(answer)));
    const { status, text, headers } = await send(port, '/webhooks/c1');
    expect({ status, text }).toEqual({ status: 200, text: '[tenant]' });
    for (const name of ['trailer', 'te', 'x-hop', 'upgrade']) expect(headers).not.toHaveProperty(name);
  });

  test.each(['gzip', 'gzip in chunks'])('%s is decoded and no longer labelled as encoded', async (answer) => {
    const { port } = await serve(answering(() => relay(answer)));
    const { text, headers } = await send(port, '/webhooks/c1');
    expect(text).toMatch(/^(?:\[tenant\])+$/);
    expect(headers).not.toHaveProperty('content-encoding');
  });

  test('an encoding that fetch does not know stays as it came', async () => {
    const { port } = await serve(answering(() => relay('a coding nobody knows')));
    expect((await send(port, '/webhooks/c1')).headers).toMatchObject({ 'content-encoding': 'of-its-own' });
  });

  test('the response to a HEAD has no content-length of a body that is not sent', async () => {
    const { port } = await serve(answering(async () => new Response(null, await relay('gzip'))));
    const { headers, text } = await send(port, '/webhooks/c1');
    expect({ length: headers['content-length'], text }).toEqual({ length: '0', text: '' });
  });

  test('a response that Node cannot send is answered with 500, once, and the process goes on', async () => {
    const onError = vi.fn();
    const { port } = await serve(
      answering((_, id) => (id === 'c1' ? new Response('x', { headers: { 'x-odd': 'a\u0001b' } }) : new Response('next'))),
      { onError },
    );
    expect(await send(port, '/webhooks/c1')).toMatchObject({ status: 500, json: { code: 'HANDLER_FAILED' } });
    expect(onError).toHaveBeenCalledTimes(1);
    expect((await send(port, '/webhooks/c2')).text).toBe('next');
  });
});

const SERVE: Record<string, (registry: ReturnType<typeof answering>, onError: () => void) => Promise<Listening>> = {
  'node:http': (registry, onError) => {
    const handler = toNodeHandler((request) => registry.handleWebhook('c1', request), { onError });
    return listen((req, res) => handler(req, refusingAnyHead(res)));
  },
  Express: (registry, onError) => {
    const app = express().use((_req, res, next) => { refusingAnyHead(res); next(); });
    return listen(app.all('/webhooks/:connectionId', expressWebhook(registry, { onError })));
  },
  Fastify: async (registry, onError) => {
    const app = fastify().addHook('onRequest', async (_request, reply) => { refusingAnyHead(reply.raw); });
    app.register(fastifyWebhook, { registry, prefix: '/webhooks', path: '/:connectionId', onError });
    await app.ready();
    return listen(app.server);
  },
};

describe.each(Object.entries(SERVE))('%s, if not even the 500 can be sent', (_adapter, serve) => {
  test.each(['a head', 'a Response that Node refuses', 'a body that fails'])('after %s, the connection is cut', async (after) => {
    const unhandled = collectUnhandled();
    const onError = vi.fn();
    const { port } = await serve(answering(() => {
      if (after === 'a body that fails')
        return new Response(new ReadableStream({ pull() { throw new Error('of the source'); } }));
      return new Response('x', after === 'a head' ? {} : { headers: { 'x-odd': 'a\u0001b' } });
    }), onError);
    await expect(send(port, '/webhooks/c1')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(onError).toHaveBeenCalled();
    expect(unhandled).toEqual([]);
  });
});

test('a reason phrase set by the application that cannot be sent does not block the response', async () => {
  const handler = toNodeHandler(() => new Response('x'));
  const { port } = await listen((req, res) => {
    res.statusMessage = '\u2713';
    handler(req, res);
  });
  expect(await send(port, '/')).toMatchObject({ status: 200, text: 'x' });
});

test('a request is answered 500 if the trust proxy function of the application throws', async () => {
  const onError = vi.fn();
  const app = express().set('trust proxy', () => { throw new Error('of the application'); });
  const { port } = await listen(
    app.all(
      '/webhooks/:connectionId',
      expressWebhook(
        answering(() => new Response('x')),
        { onError },
      ),
    ),
  );
  expect(await send(port, '/webhooks/c1')).toMatchObject({ status: 500, json: { code: 'HANDLER_FAILED' } });
  expect(onError).toHaveBeenCalledTimes(1);
});

describe('over HTTP/2', () => {
  const HEADERS = {
    'keep-alive': 'timeout=5',
    connection: 'keep-alive',
    'transfer-encoding': 'chunked',
    upgrade: 'h2c',
    'proxy-connection': 'close',
    'http2-settings': 'x',
    te: 'gzip',
    'x-one': '1',
  };
  const handleWebhook = async (id: string): Promise<Response> =>
    id === 'relayed' ? relay('hop-by-hop headers') : new Response('text', { headers: HEADERS });
  const SERVERS: Record<string, () => Promise<number>> = {
    async 'Fastify 5'() {
      const app = fastify({ http2: true });
      app.register(fastifyWebhook, { registry: { handleWebhook }, path: '/:connectionId' });
      await app.listen({ port: 0, host: '127.0.0.1' });
      onTestFinished(() => app.close());
      return (app.server.address() as AddressInfo).port;
    },
    async 'node:http2'() {
      const server = createHttp2Server(toNodeHandler((request) => handleWebhook(new URL(request.url).pathname.slice(1))));
      await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
      onTestFinished(() => { server.close(); });
      return (server.address() as AddressInfo).port;
    },
  };

  test.each(Object.keys(SERVERS))('%s: headers that HTTP/2 forbids end neither the process nor the session', async (name) => {
    const client = connect(`http://127.0.0.1:${await SERVERS[name]!()}`);
    onTestFinished(() => client.close());
    const ask = (path: string): Promise<object> => new Promise((resolve, reject) => {
      const stream = client.request({ ':path': path, ':method': 'POST' }) as unknown as ServerHttp2Stream;
      let text = '';
      let head: Record<string, unknown> = {};
      stream.on('response', (headers: Record<string, unknown>) => { head = headers; }).setEncoding('utf8');
      stream.on('data', (chunk: string) => { text += chunk; }).on('error', reject);
      stream.on('end', () => { resolve({ status: head[':status'], one: head['x-one'], text }); }).end('{}');
    });
    expect(await ask('/c1')).toEqual({ status: 200, one: '1', text: 'text' });
    expect(await ask('/relayed')).toEqual({ status: 200, one: undefined, text: '[tenant]' });
    expect(await ask('/c1')).toEqual({ status: 200, one: '1', text: 'text' });
  });
});
