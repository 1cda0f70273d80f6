import { settle } from 'hydrant/testing';
import { describe, expect, test, vi } from 'vitest';
import { plateau, RawConnection, send, signal } from './support/clients.js';
import { ADAPTERS, answering } from './support/servers.js';

const encoder = new TextEncoder();
const SECRET = 'xoxb-secret';
const quiet = { onError: () => undefined };

describe.each(Object.keys(ADAPTERS))('%s: the response', (adapter) => {
  const serve = ADAPTERS[adapter]!;

  test('status, headers and every cookie arrive', async () => {
    const { port } = await serve(answering(() => {
      const headers = new Headers({ 'content-type': 'text/x-test', 'x-one': '1' });
      headers.append('set-cookie', 'a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT');
      headers.append('set-cookie', 'b=2');
      return new Response('made', { status: 201, headers });
    }));
    const answer = await send(port, '/webhooks/c1');
    expect(answer).toMatchObject({ status: 201, text: 'made' });
    expect(answer.headers).toMatchObject({
      'content-type': 'text/x-test', 'x-one': '1', 'set-cookie': ['a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT', 'b=2'],
    });
  });

  test.each([204, 205, 304])('%i has no body and the connection goes on', async (status) => {
    const { port } = await serve(answering((_, id) => id === 'c1' ? new Response(null, { status }) : new Response('next')));
    const connection = await RawConnection.open(port);
    connection.write(
      'GET /webhooks/c1 HTTP/1.1\r\nHost: h\r\n\r\nGET /webhooks/c2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n',
    );
    expect(await connection.untilClosed()).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*\r\n\r\nHTTP/1.1 200 [^]*next`));
  });

  test('HEAD sends no body and cancels it', async () => {
    const cancelled = signal();
    const { port } = await serve(answering(() => new Response(
      new ReadableStream({ pull: (controller) => controller.enqueue(encoder.encode('x')), cancel: () => cancelled.resolve() }),
      { headers: { 'x-one': '1' } },
    )));
    const answer = await send(port, '/webhooks/c1', { method: 'HEAD' });
    expect(answer).toMatchObject({ status: 200, text: '', headers: { 'x-one': '1' } });
    await cancelled.promise;
  });

  test('a stream arrives as it is produced, its head before its first chunk', async () => {
    const started = signal<ReadableStreamDefaultController<Uint8Array>>();
    const { port } = await serve(answering(() => new Response(new ReadableStream({ start: started.resolve }))));
    const connection = await RawConnection.open(port);
    connection.write('GET /webhooks/c1 HTTP/1.1\r\nHost: h\r\n\r\n');
    const headWaitsForFirstChunk = adapter === 'Fastify 5';
    if (!headWaitsForFirstChunk) await connection.until((received) => received.includes('\r\n\r\n'));
    const controller = await started.promise;
    for (const chunk of ['one', 'two']) {
      controller.enqueue(encoder.encode(chunk));
      await connection.until((received) => received.includes(chunk));
    }
    controller.close();
    expect(await connection.until((received) => received.endsWith('0\r\n\r\n'))).toMatch(/one[^]*two/);
    connection.socket.destroy();
  });

  test('back-pressure: a reader that stops is not buffered for', async () => {
    const chunk = new Uint8Array(256 * 1024);
    const chunks = 400;
    let pulled = 0;
    const started = signal();
    const { port } = await serve(answering(() => new Response(new ReadableStream({
      pull(controller) {
        pulled += 1;
        started.resolve();
        if (pulled > chunks) controller.close();
        else controller.enqueue(chunk);
      },
    }, { highWaterMark: 0 }))));
    const connection = await RawConnection.open(port);
    connection.socket.pause();
    connection.write('GET /webhooks/c1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    await started.promise;
    expect(await plateau(() => pulled), 'little more than two sockets hold').toBeLessThan(chunks / 4);
    let bytes = 0;
    connection.socket.removeAllListeners('data');
    connection.socket.on('data', (data: Buffer) => { bytes += data.length; });
    connection.socket.resume();
    await connection.untilClosed();
    expect(pulled).toBe(chunks + 1);
    expect(bytes).toBeGreaterThan(chunks * chunk.byteLength);
  });

  test('an exception of the handler is answered 500 without its text', async () => {
    const onError = vi.fn();
    const error = new Error(SECRET);
    const handlers: (() => any)[] = [
      () => { throw error; }, () => Promise.reject(error), () => undefined, () => Response.error(), () => ({ status: 200 }),
    ];
    for (const handleWebhook of handlers) {
      const { port } = await serve({ handleWebhook }, { onError });
      const answer = await send(port, '/webhooks/c1');
      expect(answer.status).toBe(500);
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(answer.json).toEqual({ type: 'about:blank', title: 'Internal Server Error', status: 500, code: 'HANDLER_FAILED' });
    }
    expect(onError).toHaveBeenCalledTimes(5);
    expect(onError).toHaveBeenCalledWith(error);
  });

  test('a body that fails before its first byte is answered 500 without the text of the error', async () => {
    const onError = vi.fn();
    const { port } = await serve(answering(() => new Response(
      new ReadableStream({ pull: () => Promise.reject(new Error(SECRET)) }),
      { headers: { 'content-length': '5', 'x-of-the-handler': '1', 'set-cookie': 'session=1' } },
    )), { onError });
    const answer = await send(port, '/webhooks/c1');
    expect(answer).toMatchObject({ status: 500, json: { code: 'HANDLER_FAILED' } });
    expect(JSON.stringify(answer)).not.toContain(SECRET);
    expect(answer.headers).not.toHaveProperty('x-of-the-handler');
    expect(answer.headers).not.toHaveProperty('set-cookie');
    expect(onError).toHaveBeenCalledTimes(1);
  });

  test('a body that fails half-way cuts the connection, so that it cannot pass as complete', async () => {
    const { port } = await serve(answering(() => {
      let pulls = 0;
      return new Response(new ReadableStream({
        async pull(controller) {
          await settle();
          pulls += 1;
          if (pulls > 2) throw new Error(SECRET);
          controller.enqueue(encoder.encode('half'));
        },
      }));
    }), quiet);
    const connection = await RawConnection.open(port);
    connection.write('GET /webhooks/c1 HTTP/1.1\r\nHost: h\r\n\r\n');
    const received = await connection.untilClosed();
    expect(received).not.toMatch(/0\r\n\r\n$/);
    expect(received).not.toContain(SECRET);
  });

  test('a used or locked body is answered 500', async () => {
    const { port } = await serve(answering(async (_, id) => {
      const response = new Response('x');
      if (id === 'used') await response.text();
      else response.body?.getReader();
      return response;
    }), quiet);
    for (const id of ['used', 'locked']) expect((await send(port, `/webhooks/${id}`)).status).toBe(500);
  });

  test('an onError that throws has no effect', async () => {
    for (const onError of [() => { throw new Error(SECRET); }, async () => { throw new Error(SECRET); }]) {
      const { port } = await serve(answering(() => { throw new Error('x'); }), { onError });
      expect((await send(port, '/webhooks/c1')).status).toBe(500);
    }
  });
});

describe.each(['Express 5', 'Express 4', 'node:http'])('%s: framing', (adapter) => {
  const serve = ADAPTERS[adapter]!;

  test('a complete body is sent with its length', async () => {
    const { port } = await serve(answering(() => Response.json({ ok: true })));
    const answer = await send(port, '/webhooks/c1');
    expect(answer.headers).toMatchObject({ 'content-length': '11' });
    expect(answer.headers).not.toHaveProperty('transfer-encoding');
  });

  test.each([
    { how: 'longer', length: 10 },
    { how: 'shorter', length: 2 },
  ])('a body $how than its content-length never leaves the client waiting', async ({ length }) => {
    const { port } = await serve(
      answering(() => new Response('12345', { headers: { 'content-length': String(length) } })),
      quiet,
    );
    const connection = await RawConnection.open(port);
    connection.write('GET /webhooks/c1 HTTP/1.1\r\nHost: h\r\n\r\n');
    await connection.untilClosed();
    expect(connection.isClosed).toBe(true);
  });

  test('a body that fails while the client is slow to take earlier parts cuts the connection, without an exception', async () => {
    const failed = signal();
    const { port } = await serve(answering(() => {
      let pulls = 0;
      return new Response(new ReadableStream({
        async pull(controller) {
          pulls += 1;
          if (pulls > 1) throw new Error(SECRET);
          await plateau(() => 0);
          controller.enqueue(new Uint8Array(32 * 1024 * 1024));
        },
      }, { highWaterMark: 0 }));
    }), { onError: () => failed.resolve() });
    const connection = await RawConnection.open(port);
    connection.write('GET /webhooks/c1 HTTP/1.1\r\nHost: h\r\n\r\n');
    await failed.promise;
    await connection.untilClosed();
    expect(connection.received).not.toContain(SECRET);
  });

  test('hop-by-hop headers of a proxied response do not break the message', async () => {
    const { port } = await serve(
      answering(() => new Response('12345', { headers: { 'transfer-encoding': 'gzip, chunked', 'keep-alive': 'timeout=1' } })),
    );
    expect(await send(port, '/webhooks/c1')).toMatchObject({ status: 200, text: '12345' });
  });

  test('a custom status text is kept', async () => {
    const { port } = await serve(answering(() => new Response('x', { status: 200, statusText: 'Fine' })));
    const connection = await RawConnection.open(port);
    connection.write('GET /webhooks/c1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    expect(await connection.untilClosed()).toMatch(/^HTTP\/1\.1 200 Fine\r\n/);
  });
});
