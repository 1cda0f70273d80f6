import { type ClientHttp2Session, connect, createServer as createHttp2Server, type Http2Server } from 'node:http2';
import { createServer as createHttpsServer, request as httpsRequest, type RequestOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from 'hydrant/node';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { plateau, send, signal } from './support/clients.js';
import { ADAPTERS, answering, listen } from './support/servers.js';

afterEach(() => { vi.restoreAllMocks(); });

test('errors go to console.error without onError', async () => {
  const consoleError = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const error = new Error('x');
  const { port } = await listen(toNodeHandler(() => { throw error; }));
  expect((await send(port, '/')).status).toBe(500);
  expect(consoleError).toHaveBeenCalledExactlyOnceWith('hydrant: a request could not be served:', error);
});

test('a handler that returns its Response at once is served', async () => {
  const { port } = await listen(toNodeHandler(() => new Response('at once')));
  expect((await send(port, '/')).text).toBe('at once');
});

test('the listener returns nothing, so there is no promise to handle', async () => {
  const handler = toNodeHandler(() => Promise.reject(new Error('x')), { onError: () => undefined });
  const returned = vi.fn();
  const { port } = await listen((req, res) => { returned(handler(req, res)); });
  await send(port, '/');
  expect(returned).toHaveBeenCalledWith(undefined);
});

test('a request whose client left before the handler was called arrives aborted', async () => {
  const aborted = signal<boolean>();
  const handler = toNodeHandler((request) => {
    aborted.resolve(request.signal.aborted);
    return new Response('x');
  });
  const closed = signal();
  const { port } = await listen((req, res) => {
    res.once('close', () => { handler(req, res); closed.resolve(); });
    req.socket.destroy();
  });
  await expect(send(port, '/', { method: 'GET' })).rejects.toThrow();
  await closed.promise;
  expect(await aborted.promise).toBe(true);
});

test('a body whose encoding was set by middleware still arrives as bytes', async () => {
  const handler = toNodeHandler(async (request) => new Response(await request.text()));
  const { port } = await listen((req, res) => { req.setEncoding('utf8'); handler(req, res); });
  expect((await send(port, '/', { body: 'ü€' })).text).toBe('ü€');
});

test('a stream that already has listeners loses nothing', async () => {
  const handler = toNodeHandler(async (request) => new Response(await request.text()));
  const { port } = await listen((req, res) => { req.on('data', () => undefined); handler(req, res); });
  const body = 'x'.repeat(200_000);
  expect((await send(port, '/', { body, chunked: true })).text).toBe(body);
});

test('a body that was consumed and not kept is BODY_ALREADY_PARSED, and reported to the developer', async () => {
  const onError = vi.fn();
  const handle = vi.fn(() => new Response('x'));
  const handler = toNodeHandler(handle, { onError });
  const { port } = await listen((req, res) => { req.resume().on('end', () => handler(req, res)); });
  expect((await send(port, '/', { body: 'x' })).json.code).toBe('BODY_ALREADY_PARSED');
  expect(onError).toHaveBeenCalledWith(
    expect.objectContaining({ code: 'BODY_ALREADY_PARSED', message: expect.stringContaining('rawBody') }),
  );
  expect(handle).not.toHaveBeenCalled();
});

test('kept bytes must not exceed the cap either', async () => {
  const handler = toNodeHandler(async (request) => new Response(await request.text()), { maxBodyBytes: 4 });
  for (const kept of [{ rawBody: Buffer.from('fives') }, { body: 'fives' }]) {
    const { port } = await listen((req, res) => handler(Object.assign(req, kept), res));
    expect((await send(port, '/', { body: 'fives' })).json.code).toBe('BODY_TOO_LARGE');
  }
});

test('a missing body is empty, even if it was read', async () => {
  const handler = toNodeHandler(async (request) => new Response(`[${await request.text()}]`));
  const { port } = await listen((req, res) => { req.resume().on('end', () => handler(req, res)); });
  expect((await send(port, '/')).text).toBe('[]');
  expect((await send(port, '/', { headers: { 'content-length': '0' } })).text).toBe('[]');
});

test('a request over TLS has an https URL', async () => {
  const psk = Buffer.alloc(32, 7);
  const tlsWithoutCertificate = { ciphers: 'PSK', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
  const { port } = await listen(
    createHttpsServer(
      { ...tlsWithoutCertificate, pskCallback: () => psk },
      toNodeHandler((request) => new Response(request.url)),
    ),
  );
  const url = await new Promise<string>((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      path: '/x',
      agent: false,
      ...tlsWithoutCertificate,
      checkServerIdentity: () => undefined,
      pskCallback: () => ({ psk, identity: 'test' }),
    };
    httpsRequest(options as RequestOptions, (response) => {
      response.on('data', (data: Buffer) => resolve(data.toString()));
    }).on('error', reject).end();
  });
  expect(url).toBe(`https://127.0.0.1:${port}/x`);
});

function ask(
  on: ClientHttp2Session,
  headers: Record<string, string>,
  body?: string | Buffer,
): Promise<{ status: number; headers: Record<string, unknown>; text: string }> {
  return new Promise((resolve, reject) => {
    const stream = on.request(headers);
    let head: Record<string, unknown> = {};
    let text = '';
    stream.on('response', (given) => {
      head = given;
    });
    stream.on('data', (data: Buffer) => {
      text += data.toString();
    });
    stream.on('end', () => resolve({ status: Number(head[':status']), headers: head, text }));
    stream.on('error', reject);
    stream.end(body);
  });
}

describe('HTTP/2', () => {
  let session: ClientHttp2Session | undefined;
  let server: Http2Server | undefined;
  afterEach(() => { session?.destroy(); server?.close(); });

  async function open(handle: (request: Request) => Response | Promise<Response>, options = {}): Promise<ClientHttp2Session> {
    server = createHttp2Server(toNodeHandler(handle, options));
    await new Promise<void>((resolve) => { server?.listen(0, '127.0.0.1', resolve); });
    session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return session;
  }

  test('bodies, cookies and hop-by-hop headers, without a warning', async () => {
    const warned = vi.fn();
    process.on('warning', warned);
    const on = await open(async (request) => {
      const headers = new Headers({ connection: 'keep-alive', 'transfer-encoding': 'chunked', 'x-method': request.method });
      headers.append('set-cookie', 'a=1');
      headers.append('set-cookie', 'b=2');
      return new Response(`${request.url} ${await request.text()}`, { status: 202, headers, statusText: 'Of its own' });
    });
    const answer = await ask(on, { ':method': 'POST', ':path': '/x?y', ':authority': 'hooks.example.com:8443' }, 'body');
    expect(answer).toMatchObject({
      status: 202,
      text: 'http://hooks.example.com:8443/x?y body',
      headers: { 'set-cookie': ['a=1', 'b=2'], 'x-method': 'POST' },
    });
    expect((await ask(on, { ':method': 'GET', ':path': '/z' })).text).toMatch(/\/z $/);
    expect((await ask(on, { ':method': 'POST', ':path': '/z' })).text).toMatch(/\/z $/);
    process.off('warning', warned);
    expect(warned).not.toHaveBeenCalled();
  });

  test('a body over the cap is answered 413', async () => {
    const on = await open(async (request) => new Response(await request.text()), { maxBodyBytes: 10 });
    expect((await ask(on, { ':method': 'POST', ':path': '/' }, Buffer.alloc(50))).status).toBe(413);
    expect((await ask(on, { ':method': 'POST', ':path': '/', 'content-length': '50' }, Buffer.alloc(50))).status).toBe(413);
  });

  test('a body that fails half-way resets its own stream only', async () => {
    const on = await open((request) => {
      if (request.method === 'GET') return new Response('next');
      let pulls = 0;
      return new Response(new ReadableStream({
        pull: async (controller) => plateau(() => 0).then(() => (pulls += 1) > 1 ? Promise.reject(new Error('x'))
          : controller.enqueue(new Uint8Array(1))),
      }, { highWaterMark: 0 }));
    }, { onError: () => {} });
    await expect(ask(on, { ':method': 'POST', ':path': '/' })).rejects.toThrow('NGHTTP2_INTERNAL_ERROR');
    expect((await ask(on, { ':method': 'GET', ':path': '/' })).text).toBe('next');
  });

  test('a client that resets its stream aborts request.signal and cancels the body', async () => {
    const aborted = signal();
    const cancelled = signal();
    const on = await open((request) => {
      request.signal.addEventListener('abort', () => aborted.resolve());
      return new Response(new ReadableStream({
        start: (controller) => controller.enqueue(new Uint8Array(1)),
        cancel: () => cancelled.resolve(),
      }));
    });
    const stream = on.request({ ':method': 'GET', ':path': '/' });
    stream.on('error', () => undefined);
    stream.once('data', () => stream.close(8));
    await Promise.all([aborted.promise, cancelled.promise]);
  });
});

describe.each(Object.keys(ADAPTERS))('%s: wrong options', (adapter) => {
  beforeEach(() => { vi.spyOn(console, 'error').mockImplementation(() => undefined); });

  const NO_ORIGIN = "origin: expected an http(s) origin without a path, such as 'https://hooks.example.com'";
  test.each([
    { options: { trustProxy: 'loopback' }, message: 'trustProxy: expected a boolean, got "loopback"' },
    { options: { onError: 'console' }, message: 'onError: expected a function, got "console"' },
    {
      options: { origin: 'hooks.example.com' },
      message: `${NO_ORIGIN}, got "hooks.example.com"`,
    },
    {
      options: { origin: 'https://hooks.example.com/path' },
      message: 'origin: expected an http(s) origin without a path, such as \'https://hooks.example.com\', got '
        + '"https://hooks.example.com/path"',
    },
    {
      options: { origin: 'ftp://hooks.example.com' },
      message: `${NO_ORIGIN}, got "ftp://hooks.example.com"`,
    },
  ])('$options', async ({ options, message }) => {
    await expect(
      (async () =>
        ADAPTERS[adapter]!(
          answering(() => new Response('x')),
          options as never,
        ))(),
    ).rejects.toMatchObject({ code: 'INVALID_OPTIONS', message });
  });
});

test.each([
  { maxBodyBytes: 0, got: '0' },
  { maxBodyBytes: 1.5, got: '1.5' },
  { maxBodyBytes: Number.NaN, got: 'NaN' },
  { maxBodyBytes: '1mb', got: '"1mb"' },
])('toNodeHandler refuses a maxBodyBytes of $got', ({ maxBodyBytes, got }) => {
  expect(() => toNodeHandler(() => new Response(), { maxBodyBytes: maxBodyBytes as number })).toThrow(
    `maxBodyBytes: expected a positive integer or Infinity, got ${got}`,
  );
});

test('an invalid handler is refused', () => {
  for (const handler of [undefined, null, { fetch: () => new Response('x') }]) {
    expect(() => toNodeHandler(handler as never)).toThrow(/^handler: expected a function \(request: Request\) => Response, got /);
  }
});
