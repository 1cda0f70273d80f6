import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { readBody } from '../../src/messages/body.js';
import { GrowingBytes } from '../../src/messages/growing-bytes.js';
import { Incoming } from '../../src/messages/incoming.js';
import { makeRequest as make, type RequestBody, type RequestHead } from '../../src/messages/requests.js';

const text = (body: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(body);
const FORM = 'team_id=T1&text=hello+there';

interface RequestParts extends RequestHead { readonly body: RequestBody }

const makeRequest = (request: RequestParts): Request => make(request, request.body);
/** As an application would make it, without hydrant. */
function platformRequest({ url, method, headers, signal, body }: RequestParts): Request {
  const stream = body !== null && 'read' in body ? body.stream() : body;
  return new Request(url, { method, headers, signal, body: stream as BodyInit | null, duplex: 'half' } as RequestInit);
}

function parts({ body = text('{"a":1}'), ...others }: Partial<RequestParts> = {}): RequestParts {
  return {
    url: "https://hooks.example.com/a/b?it='s", method: 'POST', signal: new AbortController().signal,
    headers: new Headers({ 'content-type': 'application/x-www-form-urlencoded', 'x-signature': 'v0=abc' }), body, ...others,
  };
}

const BODIES: Record<string, () => RequestParts['body']> = {
  'a body': () => text(FORM),
  JSON: () => text('{"then":[1,2]}'),
  'a byte order mark and bytes that are no UTF-8': () => Uint8Array.from([0xef, 0xbb, 0xbf, 0x61, 0xff, 0xc3]),
  'no body': () => null,
  'a body that was not read': () => ({
    stream: () => new Response(FORM).body as ReadableStream<Uint8Array>,
    read: async () => text(FORM),
  }),
  'a stream': () => new Response(FORM).body,
};

/** What a handler may do with a request. */
const ACTS: Record<string, (request: Request) => unknown> = {
  text: (request) => request.text(),
  json: (request) => request.json(),
  arrayBuffer: async (request) => [...new Uint8Array(await request.arrayBuffer())],
  blob: async (request) => (await request.blob()).text(),
  formData: async (request) => [...(await request.formData())],
  'text, twice': async (request) => [await request.text(), await request.text()],
  'text and the body': async (request) => [await request.text(), request.body?.locked, request.bodyUsed],
  'text and a clone': async (request) => {
    await request.text();
    return request.clone().text();
  },
  'a clone and text of both': async (request) => {
    const clone = request.clone();
    return [await request.text(), await clone.text()];
  },
  'the body': (request) => new Response(request.body).text(),
  'the body, and then text': async (request) => {
    await new Response(request.body).text();
    return request.text();
  },
  'a reader, and then text': async (request) => {
    request.body?.getReader();
    return [request.bodyUsed, await request.text()];
  },
  'another Request of it': async (request) => {
    const copy = new Request(request);
    return [copy.url, copy.method, [...copy.headers], await copy.text(), request.bodyUsed];
  },
  'another Request of it, once read': async (request) => {
    await request.text();
    return new Request(request).text();
  },
  'another Request with another address': async (request) => {
    const copy = new Request('https://elsewhere.example.com/', request);
    return [copy.url, copy.method, [...copy.headers]];
  },
  'what else it has': ({
    method,
    bodyUsed,
    redirect,
    mode,
    credentials,
    cache,
    referrer,
    destination,
    integrity,
    keepalive,
  }) => ({ method, bodyUsed, redirect, mode, credentials, cache, referrer, destination, integrity, keepalive }),
  'its headers': (request) => {
    request.headers.set('x-more', 'yes');
    return [[...request.headers], request.headers.get('X-Signature'), request.headers instanceof Headers];
  },
  'headers it was given, in another Request of it': async (request) => {
    request.headers.set('x-more', 'yes');
    return [...new Request(request).headers];
  },
  'what it is': (request) => [
    request instanceof Request,
    Object.prototype.toString.call(request),
    typeof request.body,
    request.body === null,
  ],
};

async function outcome(act: (request: Request) => unknown, request: Request): Promise<unknown> {
  try {
    return { value: await act(request), bodyUsed: request.bodyUsed };
  } catch (error) {
    return { error: (error as Error).constructor.name, bodyUsed: request.bodyUsed };
  }
}

describe('a delivered request is like one of the platform', () => {
  describe.each(Object.entries(BODIES))('with %s', (_name, bodyOf) => {
    test.each(Object.entries(ACTS))('%s', async (_act, act) => {
      const expected = await outcome(act, platformRequest(parts({ body: bodyOf() })));
      expect(await outcome(act, makeRequest(parts({ body: bodyOf() })))).toEqual(expected);
    });
  });

  test('its bytes, headers and signal are separate from those of other copies', async () => {
    const controller = new AbortController();
    const shared = parts({ signal: controller.signal });
    const [first, second] = [makeRequest(shared), makeRequest(shared)];
    new Uint8Array(await first.arrayBuffer()).fill(0);
    first.headers.delete('x-signature');
    expect(await second.text()).toBe('{"a":1}');
    expect(second.headers.get('x-signature')).toBe('v0=abc');
    const another = new Request(second.url, { signal: second.signal });
    controller.abort();
    expect({ first: first.signal.aborted, second: second.signal.aborted, another: another.signal.aborted }).toEqual({
      first: true,
      second: true,
      another: true,
    });
  });

  test.each(Object.entries(BODIES))('fetch sends it with %s', async (_name, bodyOf) => {
    const server = createServer(
      (req, res) => void req.pipe(res.setHeader('x-got', `${req.method} ${req.headers['x-signature']}`)),
    ).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    try {
      const [expected, response] = [
        await fetch(platformRequest(parts({ url, body: bodyOf() }))),
        await fetch(makeRequest(parts({ url, body: bodyOf() }))),
      ];
      expect(response.headers.get('x-got')).toBe('POST v0=abc');
      expect(await response.bytes()).toEqual(await expected.bytes());
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('a delivered request', () => {
  afterEach(() => { vi.unstubAllGlobals(); });

  test('has the URL as it came, and so has its clone', async () => {
    const request = makeRequest(parts());
    const clone = request.clone();
    for (const one of [request, clone])
      expect({ url: one.url, signal: one.signal === request.signal }).toEqual({
        url: "https://hooks.example.com/a/b?it='s",
        signal: true,
      });
    expect({ request: await request.text(), clone: await clone.text() }).toEqual({ request: '{"a":1}', clone: '{"a":1}' });
  });

  test("extends the Request that a framework puts in the place of the platform's", () => {
    class Own extends Request {}
    const before = makeRequest(parts());
    vi.stubGlobal('Request', Own);
    expect({ before: before instanceof Own, after: makeRequest(parts()) instanceof Own }).toEqual({ before: false, after: true });
  });

  test('a header that was removed is not sent on, even after a clone was read', async () => {
    const received: (string | undefined)[] = [];
    const server = createServer((req, res) => { received.push(req.headers.authorization); res.end(); }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const request = makeRequest(parts({ url, headers: new Headers({ authorization: 'Bearer SECRET' }) }));
    await request.clone().text();
    request.headers.delete('authorization');
    await (await fetch(request)).text();
    server.closeAllConnections();
    server.close();
    expect(received).toEqual([undefined]);
  });

  test.each([
    {
      what: 'a length and a coding of other bytes',
      headers: { 'content-length': '300', 'content-encoding': 'gzip' },
      expected: { length: null, coding: null },
    },
    {
      what: 'its own length',
      headers: { 'content-length': '7', 'content-encoding': 'gzip' },
      expected: { length: '7', coding: 'gzip' },
    },
  ])('that came with $what has headers that fit its bytes', async ({ headers, expected }) => {
    const incoming = new Incoming(parts({ headers: new Headers(headers as Record<string, string>) }), 100, {
      read: async () => text('{"a":1}'),
    });
    await incoming.read();
    const copy = incoming.copy();
    expect({ length: copy.headers.get('content-length'), coding: copy.headers.get('content-encoding') }).toEqual(expected);
  });
});

describe('libraries of vendors accept a delivered request', () => {
  const body = '{"type":"event"}';
  const hmac = (content: string, encoding: 'hex' | 'base64' = 'hex', key: string | Buffer = 'secret'): string =>
    createHmac('sha256', key).update(content).digest(encoding);
  const signed = (headers: Record<string, string>): Request =>
    makeRequest(parts({ body: text(body), headers: new Headers({ 'content-type': 'application/json', ...headers }) }));

  test('octokit', async () => {
    const { verify } = await import('@octokit/webhooks-methods');
    const request = signed({ 'x-hub-signature-256': `sha256=${hmac(body)}` });
    expect(await verify('secret', await request.text(), request.headers.get('x-hub-signature-256') ?? '')).toBe(true);
  });

  test('standardwebhooks', async () => {
    const { Webhook } = await import('standardwebhooks');
    const at = String(Math.floor(Date.now() / 1_000));
    const request = signed({
      'webhook-id': 'm1',
      'webhook-timestamp': at,
      'webhook-signature': `v1,${hmac(`m1.${at}.${body}`, 'base64', Buffer.from('secret'))}`,
    });
    const verified = new Webhook(Buffer.from('secret').toString('base64')).verify(
      await request.text(),
      Object.fromEntries(request.headers),
    );
    expect(verified).toEqual({ type: 'event' });
  });

  test('Chat SDK', async () => {
    const { verifySlackSignature } = await import('@chat-adapter/slack/webhook');
    const at = String(Math.floor(Date.now() / 1_000));
    const request = signed({ 'x-slack-request-timestamp': at, 'x-slack-signature': `v0=${hmac(`v0:${at}:${body}`)}` });
    await expect(
      Promise.resolve(verifySlackSignature(await request.text(), request.headers, { signingSecret: 'secret' })),
    ).resolves.not.toBe(false);
  });

  test('grammY', async () => {
    const { Bot, webhookCallback } = await import('grammy');
    const seen: string[] = [];
    const bot = new Bot('1:x', { botInfo: { id: 1, is_bot: true, first_name: 'b', username: 'b' } as never });
    bot.on('message:text', (context) => { seen.push(context.message.text); });
    const update = {
      update_id: 1,
      message: { message_id: 1, date: 1, chat: { id: 1, type: 'private', first_name: 'a' }, text: 'hello' },
    };
    const request = makeRequest(
      parts({ body: text(JSON.stringify(update)), headers: new Headers({ 'x-telegram-bot-api-secret-token': 's' }) }),
    );
    const response = await webhookCallback(bot, 'std/http', { secretToken: 's' })(request);
    expect({ status: response.status, seen }).toEqual({ status: 200, seen: ['hello'] });
  });

  test('Bolt', async () => {
    const { isValidSlackRequest } = await import('@slack/bolt');
    const at = Math.floor(Date.now() / 1_000);
    const request = signed({ 'x-slack-request-timestamp': String(at), 'x-slack-signature': `v0=${hmac(`v0:${at}:${body}`)}` });
    expect(
      isValidSlackRequest({
        signingSecret: 'secret',
        body: await request.text(),
        headers: Object.fromEntries(request.headers) as never,
      }),
    ).toBe(true);
  });

  test('Hono', async () => {
    const { Hono } = await import('hono');
    const app = new Hono().post('/a/b', async (c) =>
      c.json({ body: await c.req.json(), type: c.req.header('content-type'), it: c.req.query('it') }),
    );
    expect(await (await app.fetch(signed({}))).json()).toEqual({ body: { type: 'event' }, type: 'application/json', it: "'s" });
  });

  test('MCP', async () => {
    const { McpServer, WebStandardStreamableHTTPServerTransport } = await import('@modelcontextprotocol/server');
    const transport = new WebStandardStreamableHTTPServerTransport({ sessionIdGenerator: () => 's1', enableJsonResponse: true });
    await new McpServer({ name: 'a', version: '1' }).connect(transport as never);
    const initialize = {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
    };
    const headers = new Headers({ 'content-type': 'application/json', accept: 'application/json, text/event-stream' });
    const response = await transport.handleRequest(makeRequest(parts({ body: text(JSON.stringify(initialize)), headers })));
    expect(await response.json()).toMatchObject({ result: { serverInfo: { name: 'a' } } });
  });
});

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

  /** As Hono's on Node: reads its bytes without a stream. */
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
      // While it grows, the old buffer and the new one are there.
      for (const [index, size] of allocated.entries()) {
        const received = index === 0 ? size : allocated[index - 1]!;
        expect((size + (allocated[index - 1] ?? 0)) / received).toBeLessThan(3);
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
