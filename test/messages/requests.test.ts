import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Incoming } from '../../src/messages/incoming.js';
import { BODIES, makeRequest, parts, platformRequest, text } from './support/request-parts.js';

/** Everything that a handler may do with a request. */
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
    for (const one of [request, clone, clone.clone().clone()])
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
