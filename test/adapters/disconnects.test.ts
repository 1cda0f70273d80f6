import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { settle } from 'hydrant/testing';
import { describe, expect, test, vi } from 'vitest';
import { collectGarbage } from '../support/garbage.js';
import { plateau, RawConnection, send, signal } from './support/clients.js';
import { ADAPTERS, answering } from './support/servers.js';

const GET = 'GET /webhooks/c1 HTTP/1.1\r\nHost: h\r\n\r\n';

describe.each(Object.keys(ADAPTERS))('%s: a client that disconnects', (adapter) => {
  const serve = ADAPTERS[adapter]!;

  test('aborts request.signal, and the response that comes too late is cancelled', async () => {
    const started = signal<Request>();
    const aborted = signal<unknown>();
    const release = signal();
    const cancelled = signal();
    const onError = vi.fn();
    const { port } = await serve(answering(async (request) => {
      request.signal.addEventListener('abort', () => aborted.resolve(request.signal.reason));
      started.resolve(request);
      await release.promise;
      return new Response(new ReadableStream({ cancel: () => cancelled.resolve() }));
    }), { onError });
    const connection = await RawConnection.open(port);
    connection.write(GET);
    const request = await started.promise;
    expect(request.signal.aborted).toBe(false);
    connection.socket.destroy();
    expect(await aborted.promise).toMatchObject({ name: 'AbortError' });
    release.resolve();
    await cancelled.promise;
    expect(onError).not.toHaveBeenCalled();
  });

  test('aborts request.signal for a POST whose body has been read, and not before', async () => {
    const read = signal<Request>();
    const release = signal();
    const { port } = await serve(answering(async (request) => {
      await request.text();
      read.resolve(request);
      await release.promise;
      return new Response('late');
    }));
    const connection = await RawConnection.open(port);
    connection.write('POST /webhooks/c1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi');
    const { signal: left } = await read.promise;
    await plateau(() => 0);
    expect(left.aborted).toBe(false);
    connection.socket.destroy();
    await new Promise<void>((resolve) => { left.addEventListener('abort', () => resolve()); });
    release.resolve();
  });

  test('cancels the body that is being sent, while it is read and while it waits for the client', async () => {
    for (const { stalls, size } of [{ stalls: 'source', size: 1 }, { stalls: 'client', size: 1024 * 1024 }]) {
      const cancelled = signal();
      const { port } = await serve(answering(() => {
        let sent = 0;
        return new Response(new ReadableStream({
          pull(controller) {
            sent += 1;
            if (stalls === 'client' || sent === 1) controller.enqueue(new Uint8Array(size));
            else return new Promise(() => undefined);
            return undefined;
          },
          cancel: () => cancelled.resolve(),
        }, { highWaterMark: 0 }));
      }));
      const connection = await RawConnection.open(port);
      connection.write(GET);
      await connection.until((received) => received.includes('\r\n\r\n'));
      connection.socket.pause();
      connection.socket.destroy();
      await cancelled.promise;
    }
  });

  test('a cancel that fails has no effect', async () => {
    const cancelled = signal();
    const { port } = await serve(answering(() => new Response(new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1024)),
      cancel: () => { cancelled.resolve(); throw new Error('x'); },
    }))));
    const connection = await RawConnection.open(port);
    connection.write(GET);
    await connection.until((received) => received.includes('\r\n\r\n'));
    connection.socket.destroy();
    await cancelled.promise;
    await settle();
    expect((await send(port, '/webhooks/c1', { method: 'HEAD' })).status).toBe(200);
  });

  test('in the middle of its body: reading fails, nothing hangs', async () => {
    for (const leave of ['destroy', 'end'] as const) {
      const failed = signal<unknown>();
      const started = signal();
      const onError = vi.fn();
      const { port } = await serve(answering(async (request) => {
        started.resolve();
        try {
          return new Response(await request.text());
        } catch (error) {
          failed.resolve(error);
          throw error;
        }
      }), { onError });
      const connection = await RawConnection.open(port);
      connection.write('POST /webhooks/c1 HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf of it');
      await started.promise;
      connection.socket[leave]();
      expect(await failed.promise).toBeInstanceOf(Error);
      await connection.untilClosed();
      expect(connection.received).not.toContain(' 200 ');
      expect(onError).not.toHaveBeenCalled();
    }
  });

  test('before its body is read: reading fails, nothing hangs', async () => {
    const started = signal<Request>();
    const release = signal();
    const failed = signal<unknown>();
    const { port } = await serve(answering(async (request) => {
      started.resolve(request);
      await release.promise;
      return new Response(await request.text().catch((error: unknown) => { failed.resolve(error); return 'x'; }));
    }));
    const connection = await RawConnection.open(port);
    connection.write('POST /webhooks/c1 HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf of it');
    const request = await started.promise;
    connection.socket.destroy();
    await new Promise<void>((resolve) => { request.signal.addEventListener('abort', () => resolve()); });
    release.resolve();
    expect(await failed.promise).toBeInstanceOf(Error);
  });

  test('sees no abort after its answer arrived', async () => {
    const { port } = await serve(answering((request) => {
      request.signal.addEventListener('abort', () => { aborts += 1; });
      return new Response('x');
    }));
    let aborts = 0;
    const connection = await RawConnection.open(port);
    connection.write(GET);
    await connection.until((received) => received.includes('x'));
    connection.socket.destroy();
    await plateau(() => aborts);
    expect(aborts).toBe(0);
  });

  test('aborts request.signal even when the request itself was garbage collected', async () => {
    let aborted = signal();
    const stream = (request: Request): Response => {
      request.signal.addEventListener('abort', () => aborted.resolve());
      return new Response(new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) }));
    };
    const registry = new ConnectionRegistry({
      store: new MemoryStore([{ id: 'c1' }]),
      factory: { create: () => ({}), authenticate: 'in-handler', handleWebhook: (_instance, request) => stream(request) },
    });
    for (const served of [answering(stream), registry]) {
      aborted = signal();
      const { port } = await serve(served);
      const connection = await RawConnection.open(port);
      connection.write(GET);
      await connection.until((received) => received.includes('\0'));
      for (let round = 0; round < 3; round += 1) {
        await plateau(() => 0);
        collectGarbage();
      }
      connection.socket.destroy();
      await aborted.promise;
    }
    await registry.close();
  });
});
