import fastify, { type FastifyInstance } from 'fastify';
import { fastifyWebhook, type FastifyWebhookOptions } from 'hydrant/fastify';
import { describe, expect, test, vi } from 'vitest';
import { limitedTo } from './support/limited-registry.js';

/** One route, asked without a network. */
function app(
  respond: () => Response | Promise<Response>,
  options: Partial<FastifyWebhookOptions> = {},
  prepare: (app: FastifyInstance) => void = () => {},
): FastifyInstance {
  const server = fastify();
  prepare(server);
  server.register(fastifyWebhook, {
    registry: { handleWebhook: async () => respond() },
    path: '/:connectionId',
    onError: () => {},
    ...options,
  });
  return server;
}
const post = (server: FastifyInstance, payload = 'x') => server.inject({ method: 'POST', url: '/c1', payload });

describe('the payload for Fastify', () => {
  test.each([
    { type: 'application/json', sent: 'application/json' },
    { type: 'application/problem+JSON', sent: 'application/problem+JSON' },
    { type: 'text/x-test', sent: 'text/x-test' },
  ])('is a text of type $type for such a Response', async ({ type, sent }) => {
    const answer = await post(
      app(() => new Response('{"a":1}', { status: 201, headers: { 'content-type': type, 'x-one': '1' } })),
    );
    expect({
      status: answer.statusCode,
      contentType: answer.headers['content-type'],
      xOne: answer.headers['x-one'],
      body: answer.body,
    }).toEqual({
      status: 201,
      contentType: sent,
      xOne: '1',
      body: '{"a":1}',
    });
  });

  test('is bytes or a stream for any other Response', async () => {
    const bytes = await post(
      app(() => new Response(new Uint8Array([0, 255]), { headers: { 'content-type': 'application/octet-stream' } })),
    );
    expect([...bytes.rawPayload]).toEqual([0, 255]);
    const stream = await post(
      app(() => new Response(new Blob(['streamed']).stream(), { status: 202, headers: { 'x-one': '1' } })),
    );
    expect({ status: stream.statusCode, xOne: stream.headers['x-one'], body: stream.body }).toEqual({
      status: 202,
      xOne: '1',
      body: 'streamed',
    });
  });

  test('has no type if the Response has none', async () => {
    const answer = await post(app(() => new Response(new Uint8Array([1]))));
    expect(answer.headers).not.toHaveProperty('content-type');
  });

  test('reaches hooks as bytes, on every version of Node, and they may change it', async () => {
    const seen: unknown[] = [];
    const server = app(() => new Response('text', { headers: { 'content-type': 'text/plain' } }), {}, (host) => {
      host.addHook('onSend', async (_request, _reply, payload) => {
        seen.push(payload);
        return 'changed';
      });
    });
    expect((await post(server)).body).toBe('changed');
    expect(seen).toEqual([Buffer.from('text')]);
  });

  test('of a HEAD is the head alone, and the body is cancelled', async () => {
    const cancel = vi.fn();
    const answer = await app(
      () => new Response(new ReadableStream({ cancel }), { status: 203, headers: { 'x-one': '1' } }),
    ).inject({ method: 'HEAD', url: '/c1' });
    expect({ status: answer.statusCode, xOne: answer.headers['x-one'], body: answer.body }).toEqual({
      status: 203,
      xOne: '1',
      body: '',
    });
    await new Promise(setImmediate);
    expect(cancel).toHaveBeenCalledTimes(1);
  });

  test('is a 500 without the head of a body that fails before its first part', async () => {
    const onError = vi.fn();
    const failing = () =>
      new Response(new ReadableStream({ pull: () => Promise.reject(new Error('secret')) }), { headers: { 'x-one': '1' } });
    const answer = await post(app(failing, { onError }));
    expect({ status: answer.statusCode, code: answer.json().code, xOne: answer.headers['x-one'] }).toEqual({
      status: 500,
      code: 'HANDLER_FAILED',
      xOne: undefined,
    });
    expect(answer.body).not.toContain('secret');
    expect(onError).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message: 'secret' }));
  });

  test('leaves a hook of the application that fails to the application', async () => {
    const onError = vi.fn();
    const server = app(() => new Response('x'), { onError }, (host) => {
      host.setErrorHandler((error: Error, _request, reply) => { reply.code(418).send(error.message); });
      host.addHook('preHandler', async () => { throw new Error('denied'); });
    });
    const answer = await post(server);
    expect({ status: answer.statusCode, body: answer.body }).toEqual({ status: 418, body: 'denied' });
    expect(onError).not.toHaveBeenCalled();
  });
});

describe('errors in Fastify', () => {
  test('go to onError, or to the logger of the request', async () => {
    const lines: string[] = [];
    const fails = { handleWebhook: () => Promise.reject(new Error('why')) };
    const server = fastify({ logger: { level: 'error', stream: { write: (line: string) => { lines.push(line); } } } });
    const onError = vi.fn();
    server.register(fastifyWebhook, { registry: fails, path: '/logged/:connectionId' });
    server.register(fastifyWebhook, { registry: fails, path: '/told/:connectionId', onError });
    await server.inject({ method: 'POST', url: '/told/c1' });
    expect({ errors: onError.mock.calls.length, lines: lines.length }).toEqual({ errors: 1, lines: 0 });
    await server.inject({ method: 'POST', url: '/logged/c1' });
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({
        msg: 'a webhook could not be served',
        err: expect.objectContaining({ message: 'why' }) as unknown,
      }),
    ]);
  });
});

describe('the body under Fastify', () => {
  const echoing = {
    handleWebhook: async (_id: string, request: Request) =>
      new Response(await request.text().catch((error: Error) => error.message)),
  };
  const echo = (options: Partial<FastifyWebhookOptions> = {}, prepare?: (app: FastifyInstance) => void) =>
    app(() => new Response(), { registry: echoing, ...options }, prepare);
  const limited = (maxBodyBytes: number, options: Partial<FastifyWebhookOptions> = {}) =>
    echo({ registry: limitedTo(maxBodyBytes, echoing), ...options });

  test('is read up to the limit of the registry', async () => {
    expect((await post(limited(4), 'four')).body).toBe('four');
    expect((await post(limited(4), 'fives')).statusCode).toBe(413);
  });

  test('is kept up to that limit for a function that may read it, and up to 1 MiB without a limit', async () => {
    const connectionId = () => 'c1';
    const mib = 'x'.repeat(1024 * 1024);
    expect((await post(echo({ connectionId, path: '/c1' }), mib)).statusCode).toBe(200);
    expect((await post(echo({ connectionId, path: '/c1' }), `${mib}x`)).statusCode).toBe(413);
    expect((await post(limited(5, { connectionId, path: '/c1' }), 'sixsix')).statusCode).toBe(413);
    expect((await post(limited(2 * mib.length, { connectionId, path: '/c1' }), `${mib}x`)).statusCode).toBe(200);
    expect((await post(echo(), `${mib}x`)).body).toHaveLength(mib.length + 1);
  });

  test('is read for methods for which Fastify itself reads none', async () => {
    const options = (payload: string) => limited(4).inject({ method: 'OPTIONS', url: '/c1', payload });
    expect((await options('four')).body).toBe('four');
    expect((await options('fives')).statusCode).toBe(413);
    const connectionId = vi.fn(() => 'c1');
    const found = limited(4, { connectionId, path: '/c1' });
    expect((await found.inject({ method: 'OPTIONS', url: '/c1', payload: 'fives' })).statusCode).toBe(413);
    expect(connectionId).not.toHaveBeenCalled();
  });

  test('may be kept in rawBody by a hook', async () => {
    const server = echo({}, (host) => {
      host.addHook('preParsing', async (request, _reply, payload) => {
        for await (const _ of payload);
        Object.assign(request, { rawBody: 'kept' });
        return payload;
      });
    });
    expect((await post(server, 'kept')).body).toBe('kept');
  });
});

describe('the route', () => {
  const start = async (options: object, prefix?: string) =>
    app(() => new Response(), { ...options, ...(prefix === undefined ? {} : { prefix }) } as never)
      .ready()
      .then(
        () => 'ready',
        (error: Error) => error.message,
      );

  test.each<{ options: object; prefix: string | undefined }>([
    { options: { path: '/:connectionId' }, prefix: undefined },
    { options: { path: '/a/:team/b', connectionId: 'team' }, prefix: undefined },
    { options: { path: '/x', connectionId: 'team' }, prefix: '/:team' },
    { options: { path: '/*', connectionId: '*' }, prefix: undefined },
    { options: { path: '/a-:b', connectionId: 'b' }, prefix: undefined },
    { options: { path: '/:A_9', connectionId: 'A_9' }, prefix: undefined },
    { options: { path: '/x', connectionId: () => 'c1' }, prefix: undefined },
  ])('$options is a route below $prefix', async ({ options, prefix }) => {
    expect(await start(options, prefix)).toBe('ready');
  });

  test.each<{ options: object; message: string }>([
    { options: { path: undefined }, message: 'path: expected a route' },
    { options: { path: 7 }, message: 'path: expected a route' },
    { options: { path: undefined, connectionId: () => 'c1' }, message: 'path: expected a route' },
    {
      options: { path: '/:team' },
      message: "path: expected a route with the parameter ':connectionId', or the option { connectionId: '<parameter>' }, "
        + 'got "/:team"',
    },
    { options: { path: '/:connectionIds' }, message: 'path: ' },
    { options: { path: '/connectionId' }, message: 'path: ' },
    { options: { path: '/*', connectionId: 'rest' }, message: 'path: ' },
    { options: { path: '/:a', connectionId: ':a' }, message: 'path: ' },
    { options: { path: '/:a', connectionId: '' }, message: 'connectionId: ' },
    { options: { registry: {} }, message: 'registry: ' },
    { options: { trustProxy: 1 }, message: 'trustProxy: ' },
  ])('$options is refused', async ({ options, message }) => {
    expect(await start(options)).toContain(message);
  });
});
