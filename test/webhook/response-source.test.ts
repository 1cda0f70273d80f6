import { afterEach, describe, expect, test, vi } from 'vitest';
import { sourceOf } from '../../src/webhook/response-source.js';
import { whenRead } from '../../src/webhook/streaming.js';

const stream = (): ReadableStream => new Blob(['hello']).stream();

describe('what a response was built from', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.resetModules();
  });

  test.each<[string, Response, unknown]>([
    ['text', new Response('hello'), 'hello'],
    ['an empty text', new Response(''), ''],
    ['JSON', Response.json({ a: 1 }), new TextEncoder().encode('{"a":1}')],
    ['bytes', new Response(Uint8Array.of(1, 2)), Uint8Array.of(1, 2)],
    ['a form', new Response(new URLSearchParams({ a: '1' })), 'a=1'],
    ['nothing', new Response(null), undefined],
    ['a stream', new Response(stream()), undefined],
    ['a Blob', new Response(new Blob(['hello'])), undefined],
  ])('%s', (_what, response, source) => {
    expect(sourceOf(response)).toEqual(source);
  });

  test('it is not what is left of a body that somebody reads', async () => {
    const read = new Response('hello');
    await read.text();
    const locked = new Response('hello');
    locked.body?.getReader();
    const begun = new Response('hello');
    const reader = begun.body?.getReader();
    await reader?.read();
    reader?.releaseLock();
    expect([read, locked, begun].map(sourceOf)).toEqual([undefined, undefined, undefined]);
  });

  test('bytes that are changed afterwards are not the response\'s', () => {
    const bytes = Uint8Array.of(1, 2);
    const response = new Response(bytes);
    bytes.fill(9);
    expect(sourceOf(response)).toEqual(Uint8Array.of(1, 2));
  });

  test('a platform that does not show it loses nothing by that', async () => {
    const real = Response.json.bind(Response);
    vi.spyOn(Response, 'json').mockImplementation((data) => new Proxy(real(data), { ownKeys: () => [] }));
    vi.resetModules();
    const elsewhere = {
      ...await import('../../src/webhook/response-source.js'), ...await import('../../src/webhook/streaming.js'),
    };
    const done = vi.fn();
    expect(elsewhere.sourceOf(new Response('hello'))).toBeUndefined();
    const response = await elsewhere.whenRead(new Response('hello', { status: 201, headers: { a: 'b' } }), done);
    expect([done.mock.calls.length, response.status, response.headers.get('a'), await response.text()]).toEqual([1, 201, 'b', 'hello']);
  });

  test('a response built of text lets its instance go before anybody reads it, and is sent as it is', async () => {
    const done = vi.fn();
    const response = new Response('hello');
    expect(await whenRead(response, done)).toBe(response);
    expect(done).toHaveBeenCalledOnce();
    expect(response.bodyUsed).toBe(false);
  });
});
