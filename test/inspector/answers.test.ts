import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Inspector } from 'hydrant/inspector';
import { inspectorOfAFake, type FakeRegistry } from './support/fake-registry.js';

const OWN = { 'x-hydrant-inspector': '1', 'sec-fetch-site': 'same-origin' };
const SAFE = {
  'cache-control': 'no-store', 'cross-origin-opener-policy': 'same-origin', 'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY',
};
const NOTHING = "default-src 'none'; frame-ancestors 'none'";

describe('an answer of the inspector', () => {
  let registry: FakeRegistry;
  let inspector: Inspector;
  beforeEach(() => { ({ registry, inspector } = inspectorOfAFake()); });
  const ask = (query = '', method = 'GET', headers = {}): Promise<Response> =>
    inspector(new Request(`http://gateway.example/admin${query}`, { method, headers }));
  const act = async (query: string): Promise<{ status: number; body: string }> => {
    const answer = await ask(query, 'POST', OWN);
    return { status: answer.status, body: await answer.text() };
  };

  test.each([
    {
      what: 'the page',
      query: '',
      method: 'GET',
      type: 'text/html; charset=utf-8',
      policy: expect.stringContaining("default-src 'none'; script-src 'nonce-"),
    },
    { what: 'data', query: '?view=data', method: 'GET', type: 'application/json', policy: NOTHING },
    { what: 'a stream', query: '?view=stream', method: 'GET', type: 'text/event-stream', policy: NOTHING },
    { what: 'a refusal', query: '?action=evict&id=a', method: 'POST', type: 'text/plain; charset=utf-8', policy: NOTHING },
  ])('may not be cached, framed or read by another origin: $what', async ({ query, method, type, policy }) => {
    const { headers } = await ask(query, method);
    expect(Object.fromEntries(headers)).toMatchObject({ ...SAFE, 'content-type': type, 'content-security-policy': policy });
  });

  test('must not be buffered by a proxy if it is a stream', async () => {
    expect((await ask('?view=stream')).headers.get('x-accel-buffering')).toBe('no');
  });

  test('is the same for HEAD and GET, and lists the methods for any other', async () => {
    expect((await ask('', 'HEAD')).status).toBe(200);
    const refused = await ask('', 'PUT');
    expect({ status: refused.status, allow: refused.headers.get('allow'), body: await refused.text() }).toEqual({
      status: 405,
      allow: 'GET, HEAD, POST',
      body: 'Method not allowed',
    });
  });

  test('has a Retry-After if too many pages are open', async () => {
    for (let streams = 0; streams < 100; streams += 1) await ask('?view=stream');
    const refused = await ask('?view=stream');
    expect({ status: refused.status, retryAfter: refused.headers.get('retry-after'), body: await refused.text() }).toEqual({
      status: 503,
      retryAfter: '10',
      body: 'Too many pages are open',
    });
  });

  test('says so after stop', async () => {
    inspector.stop();
    const answer = await ask();
    expect({ status: answer.status, body: await answer.text() }).toEqual({ status: 503, body: 'The inspector was stopped' });
  });

  test('has the result of an action in words, because the page shows them', async () => {
    registry.connections = [{ id: 'a', state: 'idle', version: '1', leases: 0 }];
    expect(await act('?action=evict&id=a')).toEqual({ status: 200, body: 'Evicted' });
    expect(await act('?action=invalidate&id=a')).toEqual({ status: 200, body: 'Invalidated' });
    expect(await act('?action=evict&id=b')).toEqual({
      status: 404,
      body: 'The connection has no instance in this process',
    });
    expect(await act('?action=explode&id=a')).toEqual({ status: 400, body: 'Expected an action and an id' });
    const foreign = await ask('?action=evict&id=a', 'POST');
    expect({ status: foreign.status, body: await foreign.text() }).toEqual({
      status: 403,
      body: 'Only the page itself may do this',
    });
  });

  test('has no effect for an action without an id', async () => {
    const invalidated = vi.spyOn(registry, 'invalidate');
    expect((await act('?action=invalidate')).status).toBe(400);
    expect(invalidated).not.toHaveBeenCalled();
  });

  test('accepts an action on the longest id of a registry, and no longer one', async () => {
    expect((await act(`?action=invalidate&id=${'a'.repeat(1_024)}`)).status).toBe(200);
    expect((await act(`?action=invalidate&id=${'a'.repeat(1_025)}`)).status).toBe(400);
  });

  test('refuses an id that the registry refuses', async () => {
    registry.invalidate = () => { throw new TypeError('expected an id'); };
    expect(await act('?action=invalidate&id=a')).toEqual({
      status: 400,
      body: 'Expected an id of 1 to 1024 characters',
    });
  });

  test('writes a failure to the console, not to the client', async () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {});
    const broken = new Error('the secret is xoxb');
    registry.snapshot = () => { throw broken; };
    const answer = await ask('?view=data');
    expect({ status: answer.status, body: await answer.text() }).toEqual({ status: 500, body: 'The inspector failed' });
    expect(error.mock.calls).toEqual([[expect.stringMatching(/^hydrant: the inspector/), broken]]);
    error.mockRestore();
  });
});
