import { describe, expect, test } from 'vitest';
import { headToSend } from '../../src/adapters/framing.js';

const HOP_BY_HOP = [
  'connection', 'content-length', 'http2-settings', 'keep-alive', 'proxy-authenticate', 'proxy-authentication-info',
  'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade',
];

const headersOf = (response: Response, method = 'GET') => Object.fromEntries(headToSend(response, method).headers);

/** A Response as `fetch` returns it for a compressed body, which it has decoded. */
function relayed(headers: Record<string, string>, url: string): Response {
  return Object.defineProperty(new Response(null, { headers }), 'url', { value: url });
}

describe('the head of a relayed response', () => {
  test.each(HOP_BY_HOP)('does not have the header %s of another connection', (name) => {
    expect(headersOf(new Response('x', { headers: { [name]: '1', 'x-kept': 'kept' } }))).toEqual({
      'content-type': 'text/plain;charset=UTF-8', 'x-kept': 'kept',
    });
  });

  test('does not have the headers that `connection` names, in any case', () => {
    const headers = { connection: 'X-Hop ,x-step', 'x-hop': '1', 'x-step': '1', 'x-kept': 'kept' };
    expect(headersOf(new Response(null, { headers }))).toEqual({ 'x-kept': 'kept' });
  });

  test('does not describe bytes that fetch has decoded', () => {
    const headers = { 'content-encoding': 'gzip', 'content-length': '120', 'x-kept': 'kept' };
    expect(headersOf(relayed(headers, 'https://upstream.test/'), 'HEAD')).toEqual({ 'x-kept': 'kept' });
    expect(headersOf(relayed(headers, ''), 'HEAD')).toEqual(headers);
  });

  test('has each cookie on its own', () => {
    const headers = new Headers([['set-cookie', 'a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT'], ['set-cookie', 'b=2']]);
    expect(headersOf(new Response(null, { headers }))).toEqual({
      'set-cookie': ['a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT', 'b=2'],
    });
  });

  test('that Node could not send is refused as a whole', () => {
    const odd = (name: string, value: string, cookies: string[] = []) => {
      const headers = new Headers();
      const pairs = [[name, value]];
      return Object.defineProperty(new Response(null, { headers }), 'headers', {
        value: Object.assign(headers, { getSetCookie: () => cookies, [Symbol.iterator]: () => pairs[Symbol.iterator]() }),
      });
    };
    const cookie = 'a=\n';
    for (const response of [odd('x-odd', 'a\nb'), odd('set-cookie', cookie, [cookie]), odd('not a name', 'x')])
      expect(() => headToSend(response, 'GET')).toThrow(TypeError);
  });

  test.each([{ status: 199 }, { status: 600 }, { status: 200.5 }])('of status $status is refused', ({ status }) => {
    const odd = Object.defineProperty(new Response(), 'status', { value: status });
    expect(() => headToSend(odd, 'GET')).toThrow('The status of the Response is not in 200–599.');
  });

  test.each([200, 599])('of status %i is sent', (status) => {
    expect(headToSend(new Response(null, { status }), 'GET').status).toBe(status);
  });

  test.each([204, 205, 304])('says that %i has no body, whatever the Response holds', (status) => {
    const odd = Object.defineProperty(new Response('x', { headers: { 'content-length': '10' } }), 'status', { value: status });
    const { hasBody, headers } = headToSend(odd, 'HEAD');
    expect({ hasBody, length: headers.get('content-length') }).toEqual({
      hasBody: false, length: status === 304 ? '10' : undefined,
    });
    expect(headToSend(odd, 'GET').hasBody).toBe(false);
  });
});
