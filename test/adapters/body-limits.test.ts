import { describe, expect, test } from 'vitest';
import { type Listening, ADAPTERS, answering } from './support/servers.js';
import { plateau, RawConnection, send, signal } from './support/clients.js';
import { limitedTo } from './support/limited-registry.js';
import { signingRegistry, sign } from './support/signing-registry.js';

const POST = 'POST /webhooks/c1 HTTP/1.1\r\nHost: h\r\n';
/** Bytes that a socket and a parser may have accepted before the adapter can refuse. */
const TAKEN_IN = 512 * 1024;
const block = Buffer.alloc(64 * 1024, 'a');

/** How many bytes the server has read from its connections. */
function bytesRead({ server }: Listening): () => number {
  const counts: (() => number)[] = [];
  server.on('connection', (socket) => {
    let last = 0;
    counts.push(() => (last = Math.max(last, socket.bytesRead)));
  });
  return () => counts.reduce((sum, count) => sum + count(), 0);
}

/** Writes for as long as the server takes it, and 64 MiB at most. */
async function flood(connection: RawConnection, part: string | Buffer): Promise<void> {
  for (let sent = 0; sent < 1024 && !connection.isClosed && connection.socket.writable; sent += 1) {
    if (!connection.socket.write(part)) {
      await new Promise<void>((resolve) => {
        const goOn = (): void => {
          connection.socket.off('drain', goOn).off('close', goOn);
          resolve();
        };
        connection.socket.on('drain', goOn).on('close', goOn);
      });
    }
  }
}

describe.each(Object.keys(ADAPTERS))('%s: a body over maxBodyBytes', (adapter) => {
  const serve = (registry: Parameters<typeof answering>[0] | undefined, maxBodyBytes = 1000): Promise<Listening> =>
    ADAPTERS[adapter]!(registry === undefined ? signingRegistry() : answering(registry), { maxBodyBytes });

  test('up to exactly the limit it is served', async () => {
    const { port } = await serve(undefined);
    for (const chunked of [false, true]) {
      const fits = 'a'.repeat(1000);
      expect((await send(port, '/webhooks/c1', { body: fits, chunked, headers: sign(fits) })).status).toBe(200);
      const over = 'a'.repeat(1001);
      const answer = await send(port, '/webhooks/c1', { body: over, chunked, headers: sign(over) });
      expect(answer).toMatchObject({ status: 413, json: { code: 'BODY_TOO_LARGE' } });
    }
  });

  test('announced: answered 413 without reading the rest', async () => {
    const listening = await serve(undefined);
    const read = bytesRead(listening);
    const connection = await RawConnection.open(listening.port);
    connection.write(`${POST}Content-Length: ${64 * 1024 * 1024}\r\n\r\n`);
    await flood(connection, block);
    expect(await connection.untilClosed()).toMatch(/^HTTP\/1\.1 413 [^]*connection: close/i);
    expect(read()).toBeLessThan(TAKEN_IN);
  });

  test('announced, and small: answered 413 without waiting for the body', async () => {
    const { port } = await serve(undefined);
    const connection = await RawConnection.open(port);
    connection.write(`${POST}Content-Length: 1001\r\n\r\n`);
    expect(await connection.untilClosed()).toMatch(/^HTTP\/1\.1 413 [^]*connection: close/i);
  });

  test('a body that was read keeps the connection, announced or not', async () => {
    const { port } = await serve((request) => request.text().then((text) => new Response(`[${text}]`)));
    const connection = await RawConnection.open(port);
    connection.write(`${POST}Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n`);
    await connection.until((received) => received.includes('[one]'));
    connection.write(`${POST}Content-Length: 3\r\nConnection: close\r\n\r\ntwo`);
    expect(await connection.untilClosed()).toContain('[two]');
  });

  test('not announced: answered 413 as soon as the limit is exceeded, without reading the rest', async () => {
    const listening = await serve(undefined, 100_000);
    const read = bytesRead(listening);
    const connection = await RawConnection.open(listening.port);
    connection.write(`${POST}Transfer-Encoding: chunked\r\n\r\n`);
    await flood(connection, Buffer.concat([Buffer.from(`${block.length.toString(16)}\r\n`), block, Buffer.from('\r\n')]));
    expect(await connection.untilClosed()).toMatch(/^HTTP\/1\.1 413 [^]*connection: close/i);
    expect(read()).toBeLessThan(TAKEN_IN);
  });

  test('not announced: nothing more is read while the answer is prepared', async () => {
    const tooLarge = signal();
    const release = signal();
    const answer = async (): Promise<Response> => {
      tooLarge.resolve();
      await release.promise;
      return new Response(null, { status: 413 });
    };
    const listening = await (adapter === 'node:http'
      ? serve((request) => request.text().then(() => new Response(), answer))
      : ADAPTERS[adapter]!(limitedTo(1000, signingRegistry(), answer)));
    const read = bytesRead(listening);
    const connection = await RawConnection.open(listening.port);
    connection.write(`${POST}Transfer-Encoding: chunked\r\n\r\n`);
    const flooded = flood(
      connection,
      Buffer.concat([Buffer.from(`${block.length.toString(16)}\r\n`), block, Buffer.from('\r\n')]),
    );
    await tooLarge.promise;
    expect(await plateau(read)).toBeLessThan(TAKEN_IN);
    release.resolve();
    await flooded;
    expect(await connection.untilClosed()).toMatch(/^HTTP\/1\.1 413 /);
  });

  test('longer than announced: only the announced bytes are read, and the rest is no request', async () => {
    const { port } = await serve((request) => request.text().then((text) => new Response(text)));
    const connection = await RawConnection.open(port);
    connection.write(`${POST}Content-Length: 4\r\n\r\nfour${'x'.repeat(2000)}`);
    expect(await connection.untilClosed()).not.toContain('fourx');
  });

  test('shorter than announced: no hang when the client gives up', async () => {
    const { port } = await serve(undefined);
    const connection = await RawConnection.open(port);
    connection.write(`${POST}Content-Length: 500\r\n\r\nshort`);
    connection.socket.end();
    expect(await connection.untilClosed()).not.toContain(' 200 ');
  });

  test('a request behind it on the same connection is answered, or the connection is closed', async () => {
    const next = `POST /webhooks/c2 HTTP/1.1\r\nHost: h\r\n`
      + `x-signature: ${sign('')['x-signature'] ?? ''}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
    for (const framing of [
      `Content-Length: 2000\r\n\r\n${'a'.repeat(2000)}`,
      `Transfer-Encoding: chunked\r\n\r\n7d0\r\n${'a'.repeat(2000)}\r\n0\r\n\r\n`,
    ]) {
      const { port } = await serve(undefined);
      const connection = await RawConnection.open(port);
      connection.write(POST + framing + next);
      const received = await connection.untilClosed();
      expect(received).toMatch(/^HTTP\/1\.1 413 /);
      if (!/^connection: close/im.test(received.split('\r\n\r\n')[0] ?? '')) expect(received).toContain('HTTP/1.1 200 ');
    }
  });

  test('an answer that leaves the body unread keeps the connection for a small one and closes it for a large one', async () => {
    for (const { length, closes } of [{ length: 3000, closes: false }, { length: 3_000_000, closes: true }] as const) {
      const { port } = await serve((request) => new Response(request.method, { status: 404 }), Infinity);
      const connection = await RawConnection.open(port);
      connection.write(`${POST}Content-Length: ${length}\r\n\r\n`);
      await connection.until((received) => received.includes('POST'));
      if (closes) {
        expect(await connection.untilClosed()).toMatch(/connection: close/i);
        continue;
      }
      connection.write(`${'a'.repeat(length)}GET /webhooks/c2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
      expect(await connection.untilClosed()).toMatch(/POST[^]*HTTP\/1\.1 404 [^]*GET/);
    }
  });

  test('a body that was half read keeps the connection too', async () => {
    const listening = await serve(async (request) => {
      if (request.body !== null) {
        const reader = request.body.getReader();
        await reader.read();
        await reader.cancel();
      }
      return new Response(request.method);
    }, Infinity);
    const read = bytesRead(listening);
    const connection = await RawConnection.open(listening.port);
    connection.write(`${POST}Content-Length: 50000\r\n\r\nfirst`);
    await connection.until((received) => received.includes('POST'));
    const moreThanARequestBuffers = 40_000;
    connection.write('a'.repeat(moreThanARequestBuffers));
    await plateau(read);
    connection.write('a'.repeat(50_000 - 'first'.length - moreThanARequestBuffers));
    connection.write('GET /webhooks/c2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    expect(await connection.untilClosed()).toMatch(/POST[^]*HTTP\/1\.1 200 [^]*GET/);
  });

  test('back-pressure: a body that is not read stays with its sender', async () => {
    const started = signal();
    const release = signal();
    const listening = await serve(async (request) => {
      const reader = request.body!.getReader();
      let bytes = (await reader.read()).value?.byteLength ?? 0;
      started.resolve();
      await release.promise;
      for (let part = await reader.read(); !part.done; part = await reader.read()) bytes += part.value.byteLength;
      return new Response(String(bytes));
    }, Infinity);
    const read = bytesRead(listening);
    const connection = await RawConnection.open(listening.port);
    const total = block.length * 1024;
    connection.write(`${POST}Content-Length: ${total}\r\nConnection: close\r\n\r\n`);
    const flooded = flood(connection, block);
    await started.promise;
    expect(await plateau(read)).toBeLessThan(TAKEN_IN);
    release.resolve();
    await flooded;
    expect(await connection.untilClosed()).toContain(String(total));
  });
});

test('node:http: 413 even if the handler catches the error', async () => {
  let called = 0;
  const { port } = await ADAPTERS['node:http']!(answering(async (request) => {
    called += 1;
    await request.text().catch(() => 'swallowed');
    return new Response(null, { status: 204 });
  }), { maxBodyBytes: 10 });
  expect((await send(port, '/webhooks/c1', { body: 'more than ten bytes' })).status).toBe(413);
  expect(called).toBe(0);
  const answer = await send(port, '/webhooks/c1', { body: 'more than ten bytes', chunked: true });
  expect(answer.json).toEqual({ type: 'about:blank', title: 'Content Too Large', status: 413, code: 'BODY_TOO_LARGE' });
  expect(called).toBe(1);
});

test('node:http: 1 MiB is the default', async () => {
  const { port } = await ADAPTERS['node:http']!(
    answering(async (request) => new Response(String((await request.arrayBuffer()).byteLength))),
  );
  const body = new Uint8Array(1024 * 1024);
  expect((await send(port, '/webhooks/c1', { body })).text).toBe('1048576');
  expect((await send(port, '/webhooks/c1', { body: new Uint8Array(1024 * 1024 + 1) })).status).toBe(413);
});
