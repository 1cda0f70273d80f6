import express from 'express';
import { expressWebhook } from 'hydrant/express';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { plateau, send, signal } from './support/clients.js';
import { answering, express4, listen } from './support/servers.js';
import { limitedTo } from './support/limited-registry.js';
import { sign, signingRegistry } from './support/signing-registry.js';

const SECRET = 'xoxb-secret';
const FORM = 'team_id=T1&text=a+b%20c';
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const echo = answering(async (request, id) => Response.json({ id, url: request.url, text: await request.text() }));

let consoleError: ReturnType<typeof vi.spyOn>;
beforeEach(() => { consoleError = vi.spyOn(console, 'error').mockImplementation(() => undefined); });
afterEach(() => { vi.restoreAllMocks(); });

describe.each([
  { name: 'Express 5', framework: express },
  { name: 'Express 4', framework: express4 },
])('$name', ({ framework }) => {
  test('the id is the decoded route parameter', async () => {
    const app = framework();
    app.all('/webhooks/:connectionId', expressWebhook(echo));
    app.all('/other/:team', expressWebhook(echo, { connectionId: 'team' }));
    const { port } = await listen(app);
    expect((await send(port, '/webhooks/a%2Fb%00c?x=1')).json.id).toBe('a/b\0c');
    expect((await send(port, '/other/T1')).json.id).toBe('T1');
  });

  test('a route without the parameter is a clear error for its developer, and reveals nothing to the sender', async () => {
    const app = framework();
    app.all('/webhooks/:id', expressWebhook(echo));
    const { port } = await listen(app);
    const answer = await send(port, '/webhooks/c1');
    expect(answer.json).toEqual({ type: 'about:blank', title: 'Internal Server Error', status: 500, code: 'INVALID_OPTIONS' });
    expect(consoleError).toHaveBeenCalledWith(
      expect.any(String),
      expect.objectContaining({
        code: 'INVALID_OPTIONS',
        message: "connectionId: expected a route with the parameter ':connectionId', or "
          + "the option { connectionId: '<parameter>' }, got a route with ':id'",
      }),
    );
  });

  test('in a mounted router, the URL is the full one', async () => {
    const router = framework.Router();
    router.all('/:connectionId', expressWebhook(echo));
    const { port } = await listen(framework().use('/api/webhooks', router));
    expect((await send(port, '/api/webhooks/c1?x')).json).toMatchObject({
      id: 'c1',
      url: `http://127.0.0.1:${port}/api/webhooks/c1?x`,
    });
  });

  test('`trust proxy` of the app is believed, unless the option says otherwise', async () => {
    const forwarded = { headers: { host: 'inside', 'x-forwarded-host': 'hooks.example.com', 'x-forwarded-proto': 'https' } };
    const app = framework();
    app.set('trust proxy', 'loopback');
    app.all('/webhooks/:connectionId', expressWebhook(echo));
    app.all('/plain/:connectionId', expressWebhook(echo, { trustProxy: false }));
    const { port } = await listen(app);
    expect((await send(port, '/webhooks/c1', forwarded)).json.url).toBe('https://hooks.example.com/webhooks/c1');
    expect((await send(port, '/plain/c1', forwarded)).json.url).toBe('http://inside/plain/c1');
    app.set('trust proxy', '10.0.0.0/8');
    expect((await send(port, '/webhooks/c1', forwarded)).json.url).toBe('http://inside/webhooks/c1');
  });

  test('headers and cookies set by the app are kept', async () => {
    const app = framework();
    app.use((_request, response, next) => { response.cookie('session', '1').set('x-app', '1'); next(); });
    app.all('/webhooks/:connectionId', expressWebhook(answering(() => new Response('x', { headers: { 'set-cookie': 'a=1' } }))));
    const { port } = await listen(app);
    expect((await send(port, '/webhooks/c1')).headers).toMatchObject({
      'set-cookie': ['session=1; Path=/', 'a=1'],
      'x-app': '1',
    });
  });

  test('next is never called: no other handler sees an error', async () => {
    const app = framework();
    const errors = vi.fn();
    app.all('/webhooks/:connectionId', expressWebhook({ handleWebhook: () => Promise.reject(new Error(SECRET)) }));
    app.use(((error, _request, _response, next) => { errors(); next(error); }) as express.ErrorRequestHandler);
    const { port } = await listen(app);
    const answer = await send(port, '/webhooks/c1');
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain(SECRET);
    expect(errors).not.toHaveBeenCalled();
    expect(consoleError).toHaveBeenCalledWith(expect.any(String), expect.objectContaining({ message: SECRET }));
  });

  test('an answer that other code has sent meanwhile is kept', async () => {
    const app = framework();
    let respond: (() => void) | undefined;
    let isCancelled = false;
    app.use((_request, response, next) => { respond = () => { response.status(503).send('timed out'); }; next(); });
    app.all('/webhooks/:connectionId', expressWebhook(answering(() => {
      respond?.();
      return new Response(new ReadableStream({ cancel: () => { isCancelled = true; } }));
    })));
    const { port } = await listen(app);
    expect(await send(port, '/webhooks/c1')).toMatchObject({ status: 503, text: 'timed out' });
    expect(isCancelled).toBe(true);
    expect(consoleError).not.toHaveBeenCalled();
  });

  test.each(['before the first chunk', 'between two chunks'])('an answer sent %s is kept', async (when) => {
    const app = framework();
    const cancelled = signal();
    let end: (() => void) | undefined;
    app.use((_request, response, next) => { end = () => { response.end('timed out'); }; next(); });
    app.all('/webhooks/:connectionId', expressWebhook(answering(() => {
      let pulls = 0;
      return new Response(new ReadableStream({
        async pull(controller) {
          pulls += 1;
          if (when === 'between two chunks') await plateau(() => 0);
          if (pulls === (when === 'between two chunks' ? 2 : 1)) end?.();
          controller.enqueue(new TextEncoder().encode('ours'));
        },
        cancel: () => cancelled.resolve(),
      }, { highWaterMark: 0 }), { headers: { 'x-ours': '1' } });
    })));
    const { port } = await listen(app);
    const answer = await send(port, '/webhooks/c1');
    expect(answer.text).toBe(when === 'between two chunks' ? 'ourstimed out' : 'timed out');
    await cancelled.promise;
    expect(consoleError).not.toHaveBeenCalled();
  });

  describe('connectionId as a function', () => {
    type IdOf = (request: Request, params: Readonly<Record<string, string>>) => unknown;
    const serve = (idOf: IdOf, registry = signingRegistry() as Parameters<typeof expressWebhook>[0], options = {}) => listen(
      framework().all('/events/:region', expressWebhook(registry, { connectionId: idOf as never, ...options })),
    );

    test('reads the body, and the registry gets the same bytes', async () => {
      const registry = signingRegistry();
      const { port } = await serve(
        async (request, { region }) => `${region}:${String((await request.formData()).get('team_id'))}`,
        registry,
      );
      for (const chunked of [false, true]) {
        const answer = await send(port, "/events/eu?q='x'", { body: FORM, chunked, headers: { ...form, ...sign(FORM) } });
        expect(answer).toMatchObject({ status: 200, json: { id: 'eu:T1', url: `http://127.0.0.1:${port}/events/eu?q='x'` } });
        expect(registry.deliveries.at(-1)?.body.toString()).toBe(FORM);
      }
    });

    test('reads bytes that a parser kept', async () => {
      const app = framework();
      app.use(
        framework.urlencoded({
          extended: false,
          verify: (req, _res, bytes) => {
            Object.assign(req, { rawBody: bytes });
          },
        }),
      );
      app.post(
        '/events',
        expressWebhook(signingRegistry(), { connectionId: async (request) => String((await request.formData()).get('team_id')) }),
      );
      const { port } = await listen(app);
      expect((await send(port, '/events', { body: FORM, headers: { ...form, ...sign(FORM) } })).json.id).toBe('T1');
    });

    test('need not read the body, and may get a request without one', async () => {
      const { port } = await serve((request) => request.headers.get('x-id') ?? undefined);
      expect((await send(port, '/events/eu', { body: FORM, headers: { 'x-id': 'c1', ...sign(FORM) } })).json).toMatchObject({
        id: 'c1',
      });
      expect((await send(port, '/events/eu', { method: 'GET', headers: { 'x-id': 'c1', ...sign('') } })).json).toMatchObject({
        id: 'c1',
      });
    });

    test.each([undefined, null, '', 7, {}])('%j is no id: 404', async (id) => {
      const registry = signingRegistry();
      const { port } = await serve(() => id, registry);
      const answer = await send(port, '/events/eu', { body: FORM, headers: sign(FORM) });
      expect(answer).toMatchObject({ status: 404, json: { code: 'CONNECTION_NOT_FOUND' } });
      expect(registry.deliveries).toEqual([]);
    });

    test('a body that does not parse is answered 400, and is not reported', async () => {
      const { port } = await serve(async (request) =>
        request.headers.has('x-form') ? await request.formData() : await request.json(),
      );
      for (const headers of [{}, { 'x-form': '1' }, { 'x-form': '1', 'content-type': 'multipart/form-data; boundary=x' }]) {
        const answer = await send(port, '/events/eu', { body: '{"a":', headers: headers as Record<string, string> });
        expect(answer.json).toEqual({ type: 'about:blank', title: 'Bad Request', status: 400 });
      }
      expect(consoleError).not.toHaveBeenCalled();
    });

    test('any other exception is answered 500 without details, and reported', async () => {
      const failures: IdOf[] = [
        () => { throw new Error(SECRET); },
        () => Promise.reject(new SyntaxError(SECRET)),
        async (request) => { await request.text(); return request.json(); },
      ];
      for (const idOf of failures) {
        const onError = vi.fn();
        const { port } = await serve(idOf, undefined, { onError });
        const answer = await send(port, '/events/eu', { body: '{}' });
        expect(answer.json).toEqual({ type: 'about:blank', title: 'Internal Server Error', status: 500, code: 'HANDLER_FAILED' });
        expect(onError).toHaveBeenCalledTimes(1);
      }
    });

    test('is not called for a body that is too large (1 MiB unless the registry sets a limit) or lost', async () => {
      const idOf = vi.fn(() => 'c1');
      for (const { registry, size, status } of [
        { registry: signingRegistry(), size: 1024 * 1024 + 1, status: 413 },
        { registry: limitedTo(10, signingRegistry()), size: 11, status: 413 },
        { registry: limitedTo(2_000_000, signingRegistry()), size: 1024 * 1024 + 1, status: 200 },
      ]) {
        const { port } = await serve(idOf, registry);
        const body = 'x'.repeat(size);
        for (const chunked of [false, true]) {
          expect((await send(port, '/events/eu', { body, chunked, headers: sign(body) })).status).toBe(status);
        }
      }
      expect(idOf).toHaveBeenCalledTimes(2);
      const app = framework().use(framework.json()).post('/events', expressWebhook(signingRegistry(), { connectionId: idOf }));
      const { port } = await listen(app);
      const answer = await send(port, '/events', { body: '{}', headers: { 'content-type': 'application/json' } });
      expect(answer).toMatchObject({
        status: 500,
        json: { code: 'BODY_ALREADY_PARSED', detail: expect.stringContaining('rawBody') },
      });
      expect(consoleError).toHaveBeenCalledTimes(1);
      expect(idOf).toHaveBeenCalledTimes(2);
    });
  });
});

test('Express 5: the path that a wildcard matched is one id', async () => {
  const { port } = await listen(express().all('/webhooks/*rest', expressWebhook(echo, { connectionId: 'rest' })));
  expect((await send(port, '/webhooks/a/b')).json.id).toBe('a/b');
});
