import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { readBody, rebuilt } from '../../src/messages/body.js';
import { makeRequest as make, platformRequest as makeWhole, type RequestBody, type RequestHead } from '../../src/messages/requests.js';

const text = (body: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(body);
const FORM = 'team_id=T1&text=hello+there';

interface RequestParts extends RequestHead { readonly body: RequestBody }

const makeRequest = (request: RequestParts): Request => make(request, request.body);
const platformRequest = (request: RequestParts): Request => makeWhole(request, request.body);

function parts({ body = text('{"a":1}'), ...others }: Partial<RequestParts> = {}): RequestParts {
  return {
    url: "https://hooks.example.com/a/b?it='s", method: 'POST', signal: new AbortController().signal,
    headers: new Headers({ 'content-type': 'application/x-www-form-urlencoded', 'x-signature': 'v0=abc' }), body, ...others,
  };
}

const BODIES: Record<string, () => RequestParts['body']> = {
  'a body': () => text(FORM),
  'JSON': () => text('{"then":[1,2]}'),
  'a byte order mark and bytes that are no UTF-8': () => Uint8Array.from([0xef, 0xbb, 0xbf, 0x61, 0xff, 0xc3]),
  'no body': () => null,
  'a body that was not read': () => ({ stream: () => new Response(FORM).body as ReadableStream<Uint8Array>, read: async () => text(FORM) }),
  'a stream': () => new Response(FORM).body,
};

/** What a handler may do with a request. */
const ACTS: Record<string, (request: Request) => unknown> = {
  'text': (request) => request.text(),
  'json': (request) => request.json(),
  'arrayBuffer': async (request) => [...new Uint8Array(await request.arrayBuffer())],
  'blob': async (request) => (await request.blob()).text(),
  'formData': async (request) => [...await request.formData()],
  'text, twice': async (request) => [await request.text(), await request.text()],
  'text and the body': async (request) => [await request.text(), request.body?.locked, request.bodyUsed],
  'text and a clone': async (request) => { await request.text(); return request.clone().text(); },
  'a clone and text of both': async (request) => { const clone = request.clone(); return [await request.text(), await clone.text()]; },
  'the body': (request) => new Response(request.body).text(),
  'the body, and then text': async (request) => { await new Response(request.body).text(); return request.text(); },
  'a reader, and then text': async (request) => { request.body?.getReader(); return [request.bodyUsed, await request.text()]; },
  'another Request of it': async (request) => { const copy = new Request(request); return [copy.url, copy.method, [...copy.headers], await copy.text(), request.bodyUsed]; },
  'another Request of it, once read': async (request) => { await request.text(); return new Request(request).text(); },
  'another Request with another address': async (request) => { const copy = new Request('https://elsewhere.example.com/', request); return [copy.url, copy.method, [...copy.headers]]; },
  'what else it has': ({ url, method, bodyUsed, redirect, mode, credentials, cache, referrer, destination, integrity, keepalive }) =>
    ({ url, method, bodyUsed, redirect, mode, credentials, cache, referrer, destination, integrity, keepalive }),
  'its headers': (request) => { request.headers.set('x-more', 'yes'); return [[...request.headers], request.headers.get('X-Signature'), request.headers instanceof Headers]; },
  'headers it was given, in another Request of it': async (request) => { request.headers.set('x-more', 'yes'); return [...new Request(request).headers]; },
  'what it is': (request) => [request instanceof Request, Object.prototype.toString.call(request), typeof request.body, request.body === null],
};

async function outcome(act: (request: Request) => unknown, request: Request): Promise<unknown> {
  try {
    return { value: await act(request), bodyUsed: request.bodyUsed };
  } catch (error) {
    return { error: (error as Error).constructor.name, bodyUsed: request.bodyUsed };
  }
}

describe('a light request is like one of the platform', () => {
  describe.each(Object.entries(BODIES))('with %s', (_name, bodyOf) => {
    test.each(Object.entries(ACTS))('%s', async (_act, act) => {
      const expected = await outcome(act, platformRequest(parts({ body: bodyOf() })));
      expect(await outcome(act, makeRequest(parts({ body: bodyOf() })))).toEqual(expected);
    });
  });

  test('it is one, and the platform is not asked for anything while it is read', async () => {
    const signal = vi.fn();
    const request = makeRequest({ ...parts(), get signal() { signal(); return new AbortController().signal; } });
    expect(Object.getOwnPropertySymbols(request)).toEqual([]);
    expect(await request.json()).toEqual({ a: 1 });
    expect(signal).not.toHaveBeenCalled();
  });

  test('its bytes, headers and signal: nobody who has it reaches the others\'', async () => {
    const controller = new AbortController();
    const shared = parts({ signal: controller.signal });
    const [first, second] = [makeRequest(shared), makeRequest(shared)];
    new Uint8Array(await first.arrayBuffer()).fill(0);
    first.headers.delete('x-signature');
    expect(await second.text()).toBe('{"a":1}');
    expect(second.headers.get('x-signature')).toBe('v0=abc');
    const another = new Request(second.url, { signal: second.signal });
    controller.abort();
    expect([first.signal.aborted, second.signal.aborted, another.signal.aborted]).toEqual([true, true, true]);
  });

  test.each(Object.entries(BODIES))('fetch sends it with %s', async (_name, bodyOf) => {
    const server = createServer((req, res) => void req.pipe(res.setHeader('x-got', `${req.method} ${req.headers['x-signature']}`))).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    try {
      const [expected, response] = [await fetch(platformRequest(parts({ url, body: bodyOf() }))), await fetch(makeRequest(parts({ url, body: bodyOf() })))];
      expect(response.headers.get('x-got')).toBe('POST v0=abc');
      expect(await response.bytes()).toEqual(await expected.bytes());
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('where the platform does not take a light request for one of its own', () => {
  afterEach(() => { vi.unstubAllGlobals(); });

  class Branded extends Request {
    readonly #brand = true;
    static isOne(value: object): boolean { return #brand in value && value.#brand; }
    override get redirect(): RequestRedirect { return this.#brand ? super.redirect : 'error'; }
  }

  test('it gets one of its own', async () => {
    vi.stubGlobal('Request', Branded);
    const request = makeRequest(parts());
    expect(Branded.isOne(request)).toBe(true);
    expect([request.url, await request.text()]).toEqual(["https://hooks.example.com/a/b?it='s", '{"a":1}']);
  });

  /** What a platform may make of a light request that it takes without complaint. */
  class Careless extends Request {
    readonly #brand = true;
    static isOne(value: object): boolean { return #brand in value && value.#brand; }
  }
  test.each<[string, typeof Request]>([
    ['the method', class extends Careless { override get method(): string { return 'GET'; } }],
    ['the headers', class extends Careless { override get headers(): Headers { return new Headers(); } }],
    ['the body', class extends Careless { override get body(): null { return null; } }],
    ['that the body was taken', class extends Careless { constructor(input: RequestInfo | URL, init?: RequestInit) { super(input instanceof Request ? input.clone() : input, init); } }],
  ])('and loses %s, it gets one of its own', (_what, platform) => {
    vi.stubGlobal('Request', platform);
    expect(Careless.isOne(makeRequest(parts()))).toBe(true);
  });

  test('a framework that puts its own in the place of the platform\'s gets what is an instance of that', () => {
    class Own extends Request {}
    const before = makeRequest(parts());
    vi.stubGlobal('Request', Own);
    expect([before instanceof Own, makeRequest(parts()) instanceof Own]).toEqual([false, true]);
  });
});

describe('reading the body', () => {
  const read = (request: Request, maxBytes = 100): Promise<unknown> =>
    readBody(request, maxBytes, () => {}).then((bytes) => new TextDecoder().decode(bytes), (error: { code: string }) => error.code);

  test.each(Object.keys(BODIES).filter((name) => name !== 'no body'))('%s: once, and no further than the cap', async (name) => {
    const request = makeRequest(parts({ body: BODIES[name]?.() ?? null }));
    expect(await read(makeRequest(parts({ body: BODIES[name]?.() ?? null })), 3)).toBe('BODY_TOO_LARGE');
    expect(await read(request)).toEqual(expect.any(String));
    expect(await read(request)).toBe('BODY_ALREADY_PARSED');
  });

  test('one that was read is not read again', async () => {
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
    ['of a length within the cap, is asked for its bytes', { 'content-length': '5' }, ['arrayBuffer'], 'hello'],
    ['of a length at the cap, too', { 'content-length': '100' }, ['arrayBuffer'], 'hello'],
    ['of a length over the cap, is not', { 'content-length': '500' }, ['body'], 'BODY_TOO_LARGE'],
    ['of a length that is not known, is not', {}, ['body'], 'hello'],
    ['of a length that is not its own, is not', { 'content-length': '5', 'content-encoding': 'gzip' }, ['body'], 'hello'],
    ['in chunks, is not', { 'content-length': '5', 'transfer-encoding': 'chunked' }, ['body'], 'hello'],
  ])('a request that reads without a stream, %s', async (_what, headers, asked, expected) => {
    const request = new Quick('http://localhost/', { method: 'POST', body: 'hello', headers: headers as Record<string, string> });
    expect(await read(request)).toBe(expected);
    expect(request.asked).toEqual(asked);
  });

  test('one whose body somebody else is about to read', async () => {
    const request = new Quick('http://localhost/', { method: 'POST', body: 'hello', headers: { 'content-length': '5' } });
    request.body?.getReader();
    expect(await read(request)).toBe('BODY_ALREADY_PARSED');
  });

  test('one that somebody has begun to read and then left', async () => {
    const request = platformRequest(parts({ body: new Blob(['hello']).stream() }));
    const reader = request.body?.getReader();
    await reader?.read();
    reader?.releaseLock();
    expect(await read(request)).toBe('BODY_ALREADY_PARSED');
  });

  test('one that is longer than it says is read no further than the cap', async () => {
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({ pull(controller) { pulled += 1; if (pulled > 100) controller.close(); else controller.enqueue(new Uint8Array(4)); } }, { highWaterMark: 0 });
    expect(await read(platformRequest(parts({ body: endless, headers: new Headers({ 'content-length': '5' }) })), 10)).toBe('BODY_TOO_LARGE');
    expect(pulled).toBe(3);
  });

  test.each([['before its first byte', null, false], ['half-way', 'hello', true]])('one that reads without a stream and breaks off %s was not read by somebody else', async (_when, body, begun) => {
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
    const original = new Request('http://localhost/?a=1', { method: 'PUT', body: 'hello', headers: { 'x-a': 'b' }, signal: controller.signal });
    const copy = rebuilt(original, text('hello'));
    controller.abort();
    expect([copy.url, copy.method, copy.headers.get('x-a'), copy.signal.aborted, await copy.text()]).toEqual(['http://localhost/?a=1', 'PUT', 'b', true, 'hello']);
  });
});
