import { describe, expect, test, vi } from 'vitest';
import { readBody } from '../../src/messages/body.js';
import { GrowingBytes } from '../../src/messages/growing-bytes.js';
import { Incoming } from '../../src/messages/incoming.js';
import { BODIES, makeRequest, parts, platformRequest } from './support/request-parts.js';

describe('reading the body', () => {
  const read = (request: Request, maxBytes = 100): Promise<unknown> =>
    readBody(request, maxBytes, () => {}).then(
      (bytes) => new TextDecoder().decode(bytes),
      (error: { code: string }) => error.code,
    );

  test.each(Object.keys(BODIES).filter((name) => name !== 'no body'))('%s: once, and no further than the cap', async (name) => {
    const request = makeRequest(parts({ body: BODIES[name]?.() ?? null }));
    expect(await read(makeRequest(parts({ body: BODIES[name]?.() ?? null })), 3)).toBe('BODY_TOO_LARGE');
    expect(await read(request)).toEqual(expect.any(String));
    expect(await read(request)).toBe('BODY_ALREADY_PARSED');
  });

  test('a body that was read is not read again', async () => {
    const request = makeRequest(parts());
    await request.text();
    expect(await read(request)).toBe('BODY_ALREADY_PARSED');
  });

  /** A Request like Hono's on Node, which reads its bytes without a stream. */
  class Quick extends Request {
    readonly asked: string[] = [];
    override get body(): Request['body'] { this.asked.push('body'); return super.body; }
    override arrayBuffer(): Promise<ArrayBuffer> { this.asked.push('arrayBuffer'); return super.arrayBuffer(); }
  }

  test.each([
    {
      what: 'of a length within the cap, is asked for its bytes',
      headers: { 'content-length': '5' },
      asked: ['arrayBuffer'],
      expected: 'hello',
    },
    { what: 'of a length at the cap, too', headers: { 'content-length': '100' }, asked: ['arrayBuffer'], expected: 'hello' },
    {
      what: 'of a length over the cap, is not',
      headers: { 'content-length': '500' },
      asked: ['body'],
      expected: 'BODY_TOO_LARGE',
    },
    { what: 'of a length that is not known, is not', headers: {}, asked: ['body'], expected: 'hello' },
    {
      what: 'of a length that is not its own, is not',
      headers: { 'content-length': '5', 'content-encoding': 'gzip' },
      asked: ['body'],
      expected: 'hello',
    },
    {
      what: 'in chunks, is not',
      headers: { 'content-length': '5', 'transfer-encoding': 'chunked' },
      asked: ['body'],
      expected: 'hello',
    },
  ])('a request that reads without a stream, $what', async ({ headers, asked, expected }) => {
    const request = new Quick('http://localhost/', { method: 'POST', body: 'hello', headers: headers as Record<string, string> });
    expect(await read(request)).toBe(expected);
    expect(request.asked).toEqual(asked);
  });

  test('a body that other code is about to read', async () => {
    const request = new Quick('http://localhost/', { method: 'POST', body: 'hello', headers: { 'content-length': '5' } });
    request.body?.getReader();
    expect(await read(request)).toBe('BODY_ALREADY_PARSED');
  });

  test('a body that other code has begun to read and then left', async () => {
    const request = platformRequest(parts({ body: new Blob(['hello']).stream() }));
    const reader = request.body?.getReader();
    await reader?.read();
    reader?.releaseLock();
    expect(await read(request)).toBe('BODY_ALREADY_PARSED');
  });

  test('a body longer than announced is read no further than the cap', async () => {
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          pulled += 1;
          if (pulled > 100) controller.close();
          else controller.enqueue(new Uint8Array(4));
        },
      },
      { highWaterMark: 0 },
    );
    expect(await read(platformRequest(parts({ body: endless, headers: new Headers({ 'content-length': '5' }) })), 10)).toBe(
      'BODY_TOO_LARGE',
    );
    expect(pulled).toBe(3);
  });

  test.each([
    { when: 'before its first byte', body: null, begun: false },
    { when: 'half-way', body: 'hello', begun: true },
  ])('a body read without a stream that breaks off $when does not count as read by other code', async ({ body, begun }) => {
    const failure = new Error('ECONNRESET');
    class Broken extends Request {
      override async arrayBuffer(): Promise<ArrayBuffer> {
        if (begun) await super.arrayBuffer();
        throw failure;
      }
    }
    const request = new Broken('http://localhost/', { method: 'POST', body, headers: { 'content-length': '5' } });
    await expect(readBody(request, 100, () => {})).rejects.toMatchObject({ code: 'UNAUTHENTICATED', cause: failure });
  });

  test('a copy has the address, headers and signal of the original', async () => {
    const controller = new AbortController();
    const original = new Request('http://localhost/?a=1', {
      method: 'PUT',
      body: 'hello',
      headers: { 'x-a': 'b' },
      signal: controller.signal,
    });
    const incoming = new Incoming(original, 100);
    await incoming.read();
    const copy = incoming.copy();
    controller.abort();
    expect({
      url: copy.url,
      method: copy.method,
      a: copy.headers.get('x-a'),
      aborted: copy.signal.aborted,
      text: await copy.text(),
    }).toEqual({ url: 'http://localhost/?a=1', method: 'PUT', a: 'b', aborted: true, text: 'hello' });
  });

  test.each(['a stream of the platform', "an adapter's"])(
    'one-byte chunks of %s use at most three times the bytes received',
    async (kind) => {
      const bytes = 1024 * 1024;
      let sent = 0;
      const chunk = (): Uint8Array<ArrayBuffer> => {
        sent += 1;
        return new Uint8Array(1);
      };
      const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
        {
          pull(controller) {
            if (sent === bytes) controller.close();
            else controller.enqueue(chunk());
          },
        },
        { highWaterMark: 0 },
      );
      const allocated: number[] = [];
      const Bytes = Uint8Array;
      vi.stubGlobal(
        'Uint8Array',
        class extends Bytes {
          constructor(size?: number) {
            super(size as number);
            if (Number(size) > 1_024) allocated.push(Number(size));
          }
        },
      );
      const whole = new GrowingBytes(2 * bytes);
      if (kind === "an adapter's") for (let left = bytes; left > 0; left -= 1) whole.append(chunk());
      else for await (const part of body) whole.append(part);
      vi.unstubAllGlobals();
      expect(whole.take()).toHaveLength(bytes);
      for (const [index, size] of allocated.entries()) {
        const received = index === 0 ? size : allocated[index - 1]!;
        const oldAndNewBuffer = (allocated[index - 1] ?? 0) + size;
        expect(oldAndNewBuffer / received).toBeLessThan(3);
      }
    },
  );

  test('nothing beyond the cap is kept', () => {
    const whole = new GrowingBytes(10);
    whole.append(new Uint8Array(8));
    expect(() => whole.append(new Uint8Array(3))).toThrow(expect.objectContaining({ code: 'BODY_TOO_LARGE' }));
    whole.append(new Uint8Array(2));
    expect(whole.take().buffer.byteLength).toBe(10);
  });
});
