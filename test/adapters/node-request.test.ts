import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { headOf, NodeRequestHead } from '../../src/adapters/node-request.js';
import { makeRequest } from '../../src/messages/requests.js';
import type { NodeRequest, NodeResponse } from '../../src/adapters/node-types.js';
import { requestOf, rest, type Message } from './support/messages.js';

const host = { host: 'h' };

/** A response whose end its test decides. */
class Output extends EventEmitter {
  headersSent = false;
  writableEnded = false;
  writableFinished = false;
  destroyed = false;
  closed = false;
}

function arrived(message: Message, res = new Output()): { head: NodeRequestHead; req: NodeRequest; res: Output } {
  const req = requestOf({ ...message, headers: { ...host, ...message.headers } });
  const head = headOf(req, res as unknown as NodeResponse, {});
  if (head instanceof Response) throw new Error(`refused with ${head.status}`);
  return { head, req, res };
}

describe('the head of a request', () => {
  test('has the method, the URL and every valid header', () => {
    const { head } = arrived({
      method: 'PUT',
      url: '/a?b',
      headers: { 'x-one': '1', cookie: ['a=1', 'b=2'], 'x-none': undefined, ':path': '/a' },
    });
    expect(head).toMatchObject({ method: 'PUT', url: 'http://h/a?b' });
    expect([...head.headers]).toEqual([['cookie', 'a=1; b=2'], ['host', 'h'], ['x-one', '1']]);
  });

  test('is a GET without a method', () => {
    expect(arrived({ kept: { method: undefined } }).head.method).toBe('GET');
  });

  test.each<{ what: string; message: Message; status: number; title: string }>([
    { what: 'CONNECT', message: { method: 'CONNECT' }, status: 501, title: 'Not Implemented' },
    { what: 'TRACE', message: { method: 'TRACE' }, status: 501, title: 'Not Implemented' },
    { what: 'TRACK', message: { method: 'TRACK' }, status: 501, title: 'Not Implemented' },
    { what: 'no address', message: { url: '*' }, status: 400, title: 'Bad Request' },
    { what: 'a header that is none', message: { headers: { 'not a name': 'x' } }, status: 400, title: 'Bad Request' },
  ])('$what is refused', async ({ message, status, title }) => {
    const refusal = headOf(
      requestOf({ ...message, headers: { ...host, ...message.headers } }),
      new Output() as unknown as NodeResponse,
      {},
    ) as Response;
    expect({
      status: refusal.status,
      contentType: refusal.headers.get('content-type'),
      cacheControl: refusal.headers.get('cache-control'),
    }).toEqual({
      status,
      contentType: 'application/problem+json',
      cacheControl: 'no-store',
    });
    expect(await refusal.json()).toEqual({ type: 'about:blank', title, status });
  });

  test('may get a body more than once', async () => {
    const { head } = arrived({});
    const requests = [Buffer.from('one'), Buffer.from('two'), null].map((body) => makeRequest(head, body));
    expect(await Promise.all(requests.map((request) => request.text()))).toEqual(['one', 'two', '']);
    for (const { url, method, signal } of requests) {
      expect({ url, method, isItsOwn: signal === head.signal }).toEqual({ url: head.url, method: 'POST', isItsOwn: true });
    }
  });
});

describe('the signal of a request', () => {
  const gone: Partial<Output>[] = [{ destroyed: true }, { closed: true }];

  test('aborts when the response closes before it was finished', () => {
    for (const state of gone) {
      const { head, res } = arrived({});
      expect(head.signal.aborted).toBe(false);
      Object.assign(res, state).emit('close');
      expect(head.signal.reason).toMatchObject({ name: 'AbortError', message: 'The client disconnected.' });
    }
  });

  test('is aborted from the start if the client has already left', () => {
    for (const state of gone) expect(arrived({}, Object.assign(new Output(), state)).head.signal.aborted).toBe(true);
  });

  test('never aborts when the response was sent', () => {
    const { head, res } = arrived({});
    Object.assign(res, { writableEnded: true, writableFinished: true, closed: true, destroyed: true }).emit('close');
    expect(head.signal.aborted).toBe(false);
  });
});

describe('the rest of the body once the response was sent', () => {
  test('is discarded if half of it was read', async () => {
    const { req, res } = arrived({ body: 'half', complete: false });
    req.on('data', () => {}).pause().removeAllListeners('data');
    res.emit('finish');
    expect(req.isPaused()).toBe(false);
    await rest();
    expect(req.readableLength).toBe(0);
  });

  test('is left alone if it was not begun, or is still being read', () => {
    const untouched = arrived({ body: 'x', complete: false });
    untouched.res.emit('finish');
    expect(untouched.req.readableFlowing).toBeNull();
    const reading = arrived({ body: 'x', complete: false });
    reading.req.on('data', () => {}).pause();
    reading.res.emit('finish');
    expect(reading.req.isPaused()).toBe(true);
  });
});
