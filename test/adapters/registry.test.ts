import { ConnectionRegistry, MemoryStore, type RegistryEvents } from 'hydrant';
import { afterEach, describe, expect, test } from 'vitest';
import { plateau, RawConnection, send, signal } from './support/clients.js';
import { ADAPTERS, FRAMEWORKS } from './support/servers.js';
import { isSigned, sign } from './support/signing-registry.js';

const open: ConnectionRegistry<any, any>[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((registry) => registry.close()));
});

/** A real registry with one connection, whose webhooks are authenticated by a HMAC over the bytes. */
function connectionRegistry(handle: (request: Request) => Response | Promise<Response>, maxBodyBytes = 1000) {
  let creates = 0;
  const failures: RegistryEvents['webhookFailed'][] = [];
  const registry = new ConnectionRegistry({
    store: new MemoryStore([{ id: 'c1' }]),
    factory: {
      create: () => { creates += 1; return {}; },
      authenticate: async (request) => isSigned(Buffer.from(await request.arrayBuffer()), request.headers.get('x-signature')),
      handleWebhook: (_instance, request) => handle(request),
    },
    webhook: { maxBodyBytes },
  });
  registry.on('webhookFailed', (failure) => failures.push(failure));
  open.push(registry);
  return { registry, failures, creates: () => creates };
}

describe.each(Object.keys(FRAMEWORKS))('%s, with a real registry', (framework) => {
  test('a signed webhook is served cold, a forged one creates nothing, an unknown id is 404', async () => {
    const { registry, creates } = connectionRegistry(async (request) =>
      Response.json({ text: await request.text(), url: request.url }),
    );
    const { port } = await FRAMEWORKS[framework]!(registry, 'json+rawBody');
    const body = '{ "a" : 1 }';
    const headers = { 'content-type': 'application/json' };
    expect((await send(port, '/webhooks/c1', { body, headers: { ...headers, 'x-signature': 'forged' } })).status).toBe(401);
    expect((await send(port, '/webhooks/c2', { body, headers: { ...headers, ...sign(body) } })).json.code).toBe(
      'CONNECTION_NOT_FOUND',
    );
    expect(creates()).toBe(0);
    const answer = await send(port, '/webhooks/c1?a=%20+b', { body, headers: { ...headers, ...sign(body) } });
    expect(answer.json).toEqual({ text: body, url: `http://127.0.0.1:${port}/webhooks/c1?a=%20+b` });
    expect(creates()).toBe(1);
  });
});

test.each(Object.keys(FRAMEWORKS).filter((framework) => framework !== 'Fastify 5'))(
  '%s: a parsed body is BODY_ALREADY_PARSED with the fix',
  async (framework) => {
    const { registry } = connectionRegistry(() => new Response('x'));
    const { port } = await FRAMEWORKS[framework]!(registry, 'json');
    const answer = await send(port, '/webhooks/c1', {
      body: '{}',
      headers: { 'content-type': 'application/json', ...sign('{}') },
    });
    expect(answer).toMatchObject({
      status: 500,
      json: { code: 'BODY_ALREADY_PARSED', detail: expect.stringContaining('req.rawBody') },
    });
  },
);

describe.each(Object.keys(ADAPTERS))('%s, with a real registry', (adapter) => {
  const serve = ADAPTERS[adapter]!;

  test('the maxBodyBytes of the registry applies, and its event reports it', async () => {
    const { registry, failures } = connectionRegistry(() => new Response('x'));
    const { port } = await serve(registry);
    for (const chunked of [false, true]) {
      const body = 'x'.repeat(1001);
      expect((await send(port, '/webhooks/c1', { body, chunked, headers: sign(body) })).status).toBe(413);
    }
    expect(failures.map(({ error }) => error.code)).toEqual(['BODY_TOO_LARGE', 'BODY_TOO_LARGE']);
  });

  test('a body announced as longer than that is not awaited', async () => {
    const { registry } = connectionRegistry(() => new Response('x'));
    const { port } = await serve(registry);
    const connection = await RawConnection.open(port);
    connection.write('POST /webhooks/c1 HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n');
    expect(await connection.untilClosed()).toMatch(/^HTTP\/1\.1 413 [^]*connection: close/i);
  });

  test('a client that leaves a stream releases the instance', async () => {
    const { registry } = connectionRegistry(
      () => new Response(new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) })),
    );
    const { port } = await serve(registry);
    const connection = await RawConnection.open(port);
    connection.write(`GET /webhooks/c1 HTTP/1.1\r\nHost: h\r\nx-signature: ${sign('')['x-signature'] ?? ''}\r\n\r\n`);
    await connection.until((received) => received.includes('\r\n\r\n'));
    expect(registry.snapshot().leased).toBe(1);
    connection.socket.destroy();
    await plateau(() => registry.snapshot().leased);
    expect(registry.snapshot()).toMatchObject({ leased: 0, idle: 1 });
  });

  test('a client that left before the response, and a HEAD, release the instance', async () => {
    const started = signal();
    const release = signal();
    const { registry } = connectionRegistry(async (request) => {
      started.resolve();
      if (request.method !== 'HEAD') await release.promise;
      return new Response(new ReadableStream());
    });
    const { port } = await serve(registry);
    expect((await send(port, '/webhooks/c1', { method: 'HEAD', headers: sign('') })).status).toBe(200);
    await plateau(() => registry.snapshot().leased);
    expect(registry.snapshot().leased).toBe(0);

    const connection = await RawConnection.open(port);
    connection.write(`GET /webhooks/c1 HTTP/1.1\r\nHost: h\r\nx-signature: ${sign('')['x-signature'] ?? ''}\r\n\r\n`);
    await started.promise;
    await plateau(() => registry.snapshot().leased);
    expect(registry.snapshot().leased).toBe(1);
    connection.socket.destroy();
    await plateau(() => 0);
    release.resolve();
    await plateau(() => registry.snapshot().leased);
    expect(registry.snapshot().leased).toBe(0);
  });

  test('the query reaches authenticate and the handler byte for byte', async () => {
    const { registry } = connectionRegistry((request) => new Response(request.url));
    const { port } = await serve(registry);
    expect((await send(port, "/webhooks/c1?q='x'&r=%27", { headers: sign('') })).text).toBe(
      `http://127.0.0.1:${port}/webhooks/c1?q='x'&r=%27`,
    );
  });
});
