import { describe, expect, test } from 'vitest';
import { readBody } from '../../src/messages/body.js';
import { makeRequest as make, READ, type RequestBody, type RequestHead, type UnreadBody } from '../../src/messages/requests.js';

const text = (body: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(body);

function unread(): { asked: string[]; body: UnreadBody } {
  const asked: string[] = [];
  return {
    asked,
    body: {
      stream: () => { asked.push('stream'); return new Response('hello').body as ReadableStream<Uint8Array>; },
      read: async (maxBytes) => { asked.push(`read ${maxBytes}`); return text('hello'); },
    },
  };
}

const head = (): RequestHead => ({
  url: "http://localhost/?it='s",
  method: 'POST',
  headers: new Headers(),
  signal: new AbortController().signal,
});
const makeRequest = (body: RequestBody): Request => make(head(), body);

describe('a body that was not read', () => {
  test('is read without a stream, once', async () => {
    const { asked, body } = unread();
    const request = makeRequest(body);
    expect(new TextDecoder().decode(await readBody(request, 100, () => {}))).toBe('hello');
    expect({ asked, isLocked: request.body?.locked }).toEqual({ asked: ['stream', 'read 100'], isLocked: true });
    await expect(readBody(request, 100, () => {})).rejects.toMatchObject({ code: 'BODY_ALREADY_PARSED' });
  });

  test('is a stream for the platform, whose request has the given URL and signal', async () => {
    const { asked, body } = unread();
    const given = head();
    const request = make(given, body);
    expect({ url: request.url, signal: request.signal }).toEqual({ url: given.url, signal: given.signal });
    expect(request.signal).toBe(given.signal);
    expect(await request.text()).toBe('hello');
    expect(asked).toEqual(['stream']);
  });

  test('is not read while other code reads it', () => {
    const { asked, body } = unread();
    const request = makeRequest(body) as Request & { [READ]: (maxBytes: number, onStop: () => void) => unknown };
    request.body?.getReader();
    expect(request[READ](100, () => {})).toBeUndefined();
    expect(asked).toEqual(['stream']);
  });

  test('is read without a stream, whichever module system loaded its adapter', async () => {
    const request = Object.assign(new Request('http://localhost/', { method: 'POST', body: 'not this' }), {
      [Symbol.for('hydrant.readBody')]: async () => text('hello'),
    });
    expect(await readBody(request, 100, () => {})).toEqual(text('hello'));
  });
});
