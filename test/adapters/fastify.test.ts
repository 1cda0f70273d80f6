import { PassThrough } from 'node:stream';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { fastifyWebhook } from 'hydrant/fastify';
import { expect, test, vi } from 'vitest';
import { plateau, RawConnection, send, signal } from './support/clients.js';
import { answering, listen } from './support/servers.js';
import { sign, signingRegistry } from './support/signing-registry.js';

const route = { prefix: '/webhooks', path: '/:connectionId' };
const echo = answering(async (request, id) =>
  Response.json({ id, method: request.method, url: request.url, text: await request.text() }),
);
const SECRET = 'xoxb-secret';

const parsed = (request: FastifyRequest): unknown => ({ parsed: request.body });

async function start(app: FastifyInstance): Promise<number> {
  await app.ready();
  return (await listen(app.server)).port;
}

test('the parsers of the application are unchanged outside, and bytes stay bytes inside', async () => {
  const app = fastify();
  const registry = signingRegistry();
  app.register(fastifyWebhook, { ...route, registry });
  app.post('/json', parsed);
  app.register(async (sibling) => { sibling.post('/sibling', parsed); });
  const port = await start(app);
  const json = { 'content-type': 'application/json' };
  for (const path of ['/json', '/sibling']) {
    expect((await send(port, path, { body: '{"a":1}', headers: json })).json).toEqual({ parsed: { a: 1 } });
    expect((await send(port, path, { body: 'a=1', headers: { 'content-type': 'text/x-unknown' } })).status).toBe(415);
  }
  for (const type of ['application/json', 'text/x-unknown', 'application/x-www-form-urlencoded']) {
    expect(
      (await send(port, '/webhooks/c1', { body: '{"a": 1', headers: { 'content-type': type, ...sign('{"a": 1') } })).status,
    ).toBe(200);
  }
});

test('every method is served', async () => {
  const app = fastify();
  app.register(fastifyWebhook, { ...route, registry: echo });
  const port = await start(app);
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
    expect((await send(port, '/webhooks/c1', { method })).json.method).toBe(method);
  }
  expect((await send(port, '/webhooks/c1', { method: 'HEAD' })).status).toBe(200);
});

test('the limit of the registry applies, not the bodyLimit of Fastify', async () => {
  const app = fastify({ bodyLimit: 10 });
  app.register(fastifyWebhook, { ...route, registry: echo });
  const port = await start(app);
  expect((await send(port, '/webhooks/c1', { body: 'more than ten bytes' })).json.text).toBe('more than ten bytes');
});

test('the hooks of the application run, and their errors reach its error handler', async () => {
  const app = fastify();
  const handleWebhook = vi.fn(async () => new Response('x'));
  app.addHook('preHandler', async (request) => {
    if (request.headers['x-deny'] !== undefined) throw Object.assign(new Error('denied'), { statusCode: 403 });
  });
  app.addHook('onSend', async (_request, reply) => { reply.header('x-host', '1'); });
  app.setErrorHandler((error: Error, _request, reply) => { reply.code(403).send({ host: error.message }); });
  app.register(fastifyWebhook, { ...route, registry: { handleWebhook } });
  const port = await start(app);
  expect((await send(port, '/webhooks/c1', { headers: { 'x-deny': '1' } })).json).toEqual({ host: 'denied' });
  expect(handleWebhook).not.toHaveBeenCalled();
  expect((await send(port, '/webhooks/c1')).headers).toMatchObject({ 'x-host': '1' });
});

test('a body that another preParsing hook also reads, or replaces, arrives complete', async () => {
  const app = fastify();
  const seen: Buffer[] = [];
  app.addHook('preParsing', (_request, _reply, payload, done) => {
    payload.on('data', (chunk: Buffer) => seen.push(chunk));
    done(null, payload);
  });
  app.addHook('preHandler', async () => { await plateau(() => seen.length); });
  app.register(fastifyWebhook, { ...route, registry: signingRegistry() });
  const port = await start(app);
  const body = 'x'.repeat(300_000);
  expect((await send(port, '/webhooks/c1', { body, headers: sign(body) })).status).toBe(200);
  expect(Buffer.concat(seen).byteLength).toBe(300_000);
});

test('a stream of a preParsing hook that breaks, before or after it is read, has no effect', async () => {
  for (const reads of [false, true]) {
    const app = fastify();
    const broken = signal();
    let source: PassThrough | undefined;
    app.addHook('preParsing', (_request, _reply, payload, done) => {
      source = payload.pipe(new PassThrough());
      done(null, source);
    });
    app.register(fastifyWebhook, {
      ...route,
      registry: answering(async (request) => {
        const reader = request.body?.getReader();
        if (reads) {
          await reader?.read();
          await reader?.cancel();
        }
        source?.once('close', () => broken.resolve()).destroy(new Error('incorrect header check'));
        await broken.promise;
        return new Response(reads ? 'read' : await reader?.read().then(() => 'whole', () => 'broken'));
      }),
    });
    const port = await start(app);
    expect((await send(port, '/webhooks/c1', { body: 'x'.repeat(1000) })).text).toBe(reads ? 'read' : 'broken');
  }
});

test('a body that breaks is answered 400 if the connectionId function needs it', async () => {
  const app = fastify();
  app.addHook('preParsing', async (_request, _reply, payload) => {
    const source = payload.pipe(new PassThrough());
    source.once('data', () => source.destroy(new Error(SECRET)));
    return source.pause();
  });
  app.register(fastifyWebhook, { path: '/events', registry: echo, connectionId: async (request) => request.text() });
  const answer = await send(await start(app), '/events', { body: 'c1' });
  expect(answer.json).toEqual({ type: 'about:blank', title: 'Bad Request', status: 400 });
});

test('a body that a preParsing hook has consumed is BODY_ALREADY_PARSED, unless the hook kept rawBody', async () => {
  for (const keeps of [true, false]) {
    const app = fastify();
    app.addHook('preParsing', async (request, _reply, payload) => {
      const chunks: Buffer[] = [];
      for await (const chunk of payload) chunks.push(chunk as Buffer);
      if (keeps) Object.assign(request, { rawBody: Buffer.concat(chunks) });
      return payload;
    });
    app.register(fastifyWebhook, { ...route, registry: signingRegistry() });
    const port = await start(app);
    const answer = await send(port, '/webhooks/c1', { body: 'x', headers: { 'content-type': 'text/plain', ...sign('x') } });
    expect(answer).toMatchObject(keeps ? { status: 200 } : { status: 500, json: { code: 'BODY_ALREADY_PARSED' } });
  }
});

test("the server's trustProxy is believed, unless the option says otherwise", async () => {
  const app = fastify({ trustProxy: 'loopback' });
  app.register(fastifyWebhook, { ...route, registry: echo });
  app.register(fastifyWebhook, { prefix: '/plain', path: '/:connectionId', registry: echo, trustProxy: false });
  const port = await start(app);
  const forwarded = {
    headers: { host: 'inside:3000', 'x-forwarded-host': 'hooks.example.com:8443', 'x-forwarded-proto': 'https' },
  };
  expect((await send(port, '/webhooks/c1', forwarded)).json.url).toBe('https://hooks.example.com:8443/webhooks/c1');
  expect((await send(port, '/plain/c1', forwarded)).json.url).toBe('http://inside:3000/plain/c1');
});

test('connectionId may be another parameter, one of the prefix, a wildcard or a function', async () => {
  const app = fastify();
  app.register(fastifyWebhook, { registry: echo, prefix: '/a', path: '/:team', connectionId: 'team' });
  app.register(fastifyWebhook, { registry: echo, prefix: '/b/:team', path: '/events', connectionId: 'team' });
  app.register(fastifyWebhook, { registry: echo, prefix: '/c', path: '/*', connectionId: '*' });
  app.register(fastifyWebhook, {
    registry: echo, path: '/d/:region',
    connectionId: async (request, { region }) => `${String(region)}:${(await request.json() as { team: string }).team}`,
  });
  const port = await start(app);
  expect((await send(port, '/a/T1')).json.id).toBe('T1');
  expect((await send(port, '/b/T2/events')).json.id).toBe('T2');
  expect((await send(port, '/c/x/y')).json.id).toBe('x/y');
  const body = '{"team":"T3"}';
  expect((await send(port, '/d/eu', { body, headers: { 'content-type': 'application/json' } })).json).toMatchObject({
    id: 'eu:T3',
    text: body,
  });
  expect((await send(port, '/d/eu', { body: '{', headers: { 'content-type': 'application/json' } })).status).toBe(400);
});

test.each([
  {
    options: { ...route, registry: undefined },
    message: 'registry: expected an object with handleWebhook, such as a ConnectionRegistry, got nothing',
  },
  { options: { registry: echo }, message: "path: expected a route such as '/:connectionId', got nothing" },
  {
    options: { ...route, registry: echo, connectionId: 'team' },
    message: "path: expected a route with the parameter ':team', or the option { connectionId: '<parameter>' }, "
      + 'got "/webhooks/:connectionId"',
  },
  {
    options: { ...route, registry: echo, maxBodyBytes: 5 },
    message: "maxBodyBytes: expected nothing, because the registry's webhook.maxBodyBytes decides, got 5",
  },
])('wrong options fail the start: %#', async ({ options, message }) => {
  const app = fastify();
  app.register(fastifyWebhook, options as never);
  await expect(app.ready()).rejects.toMatchObject({ code: 'INVALID_OPTIONS', message });
});

test('a failure goes to the logger of the application, not to the sender', async () => {
  const lines: string[] = [];
  const app = fastify({ logger: { level: 'error', stream: { write: (line: string) => { lines.push(line); } } } });
  app.register(fastifyWebhook, { ...route, registry: { handleWebhook: () => Promise.reject(new Error(SECRET)) } });
  const port = await start(app);
  expect((await send(port, '/webhooks/c1')).text).not.toContain(SECRET);
  expect(lines.join('')).toContain(SECRET);
});

test('an answer that a hook has sent meanwhile is kept, and the one of the registry is cancelled', async () => {
  const app = fastify();
  const cancelled = signal();
  let respond: (() => void) | undefined;
  app.addHook('preHandler', async (_request, reply) => { respond = () => { reply.code(503).send('timed out'); }; });
  app.register(fastifyWebhook, {
    ...route,
    registry: answering(() => {
      respond?.();
      return new Response(new ReadableStream({ cancel: () => cancelled.resolve() }));
    }),
  });
  const port = await start(app);
  expect(await send(port, '/webhooks/c1')).toMatchObject({ status: 503, text: 'timed out' });
  await cancelled.promise;
});

test('request.signal is not aborted by the end of a POST body', async () => {
  const app = fastify();
  let aborts = 0;
  app.register(fastifyWebhook, {
    ...route,
    registry: answering(async (request) => {
      request.signal.addEventListener('abort', () => { aborts += 1; });
      await request.text();
      await plateau(() => aborts);
      return new Response(String(aborts));
    }),
  });
  const port = await start(app);
  expect((await send(port, '/webhooks/c1', { body: 'x' })).text).toBe('0');
});

test('an invalid content type does not hang', async () => {
  const app = fastify();
  app.register(fastifyWebhook, { ...route, registry: echo });
  const connection = await RawConnection.open(await start(app));
  connection.write(
    'POST /webhooks/c1 HTTP/1.1\r\nHost: h\r\nContent-Type: ///\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx',
  );
  expect(await connection.untilClosed()).toMatch(/^HTTP\/1\.1 (200|415) /);
});
