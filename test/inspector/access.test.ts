import { createInspector } from 'hydrant/inspector';
import { describe, expect, test, vi } from 'vitest';
import { inspectBeforeEach, OWN, type Inspected } from './support/inspected.js';

let h: Inspected;
inspectBeforeEach(['acme', 'beta', 'gamma'], { maxInstances: 50 }, (inspected) => { h = inspected; });

describe('the options of createInspector', () => {
  test.each<{ options: unknown; message: string }>([
    { options: undefined, message: 'authorize: expected a function' },
    { options: {}, message: 'authorize: expected a function' },
    { options: { authorize: true }, message: 'authorize: expected a function' },
    { options: { authorize: () => true, title: 7 }, message: 'title: expected a string' },
    { options: { authorize: () => true, intervalMs: 0 }, message: 'intervalMs: expected milliseconds' },
    ...['localhost', [], [''], ['http://localhost'], ['a/b'], ['u@h'], [7], ['localhost', 'a/b']].map((allowedHosts) => ({
      options: { authorize: () => true, allowedHosts },
      message: 'allowedHosts: expected an array of hosts',
    })),
  ])('$options is refused', ({ options, message }) => {
    expect(() => createInspector(h.registry, options as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS', message: expect.stringContaining(message) }),
    );
  });

  test('a value that is no registry is refused', () => {
    expect(() => createInspector({} as never, { authorize: () => true })).toThrow('registry: expected a ConnectionRegistry');
  });
});

describe('access to the inspector', () => {
  test('nothing is shown or done without authorize, whatever the request', async () => {
    h.authorize = () => false;
    const invalidate = vi.spyOn(h.registry, 'invalidate');
    const answers = [await h.get(), await h.get('?view=data'), await h.get('?view=stream')];
    for (const answer of [...answers, await h.post('invalidate', 'acme')])
      expect({ status: answer.status, body: await answer.text() }).toEqual({ status: 403, body: 'Forbidden' });
    expect(invalidate).not.toHaveBeenCalled();
  });

  test('a Response of authorize is the answer, and only true grants access', async () => {
    h.authorize = () => Response.redirect('http://gateway.example/login', 302);
    expect((await h.get()).headers.get('location')).toBe('http://gateway.example/login');
    h.authorize = () => 'yes' as never;
    expect((await h.get()).status).toBe(403);
  });

  test('an authorize that throws refuses access, and reveals no reason', async () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {});
    h.authorize = () => { throw new Error('the session store is down'); };
    const answer = await h.get();
    expect({ status: answer.status, body: await answer.text() }).toEqual({ status: 500, body: 'The inspector failed' });
    expect(error).toHaveBeenCalledOnce();
    error.mockRestore();
  });

  test('an authorize that always throws writes one line, not one for each request', async () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {});
    h.authorize = () => { throw new Error('the session store is down'); };
    for (let request = 0; request < 1_000; request += 1) await h.get();
    expect(error).toHaveBeenCalledOnce();
    error.mockClear();
    let failures = 0;
    h.authorize = () => { throw new Error(`failure ${failures += 1}`); };
    for (let request = 0; request < 1_000; request += 1) await h.get();
    expect(error).toHaveBeenCalledTimes(99);
    error.mockRestore();
  });

  test('a request to another host than the allowed ones is refused before authorize is called (DNS rebinding)', async () => {
    const asked: string[] = [];
    const guarded = createInspector(h.registry, {
      authorize: ({ url }) => {
        asked.push(url);
        return true;
      },
      allowedHosts: ['Ops.example.com', 'localhost:3000', 'localhost:8080', 'web.example.com:80', 'tls.example.com:443'],
    });
    const ask = async (url: string) => {
      const answer = await guarded(new Request(url));
      return { url, status: answer.status, text: answer.status === 200 ? '' : await answer.text() };
    };
    const right = [
      'http://localhost:3000/',
      'http://localhost:8080/',
      'http://web.example.com/',
      'https://tls.example.com/',
      'https://ops.example.com/',
      'http://ops.example.com:80/',
      'http://ops.example.com:443/?view=data',
    ];
    for (const url of right) expect(await ask(url)).toEqual({ url, status: 200, text: '' });
    expect(asked).toHaveLength(right.length);
    for (const url of [
      'http://evil.example:3000/',
      'http://localhost/',
      'http://localhost:3001/',
      'http://localhost:80/',
      'http://ops.example.com.evil.example/',
      'http://127.0.0.1:3000/?view=stream',
    ]) {
      expect(await ask(url)).toEqual({ url, status: 421, text: 'Misdirected request' });
    }
    expect(asked).toHaveLength(right.length);
    guarded.stop();
  });

  test.each([
    { from: 'another origin', headers: { ...OWN, 'sec-fetch-site': 'cross-site' } },
    { from: 'another subdomain', headers: { ...OWN, 'sec-fetch-site': 'same-site' } },
    { from: 'a link', headers: { ...OWN, 'sec-fetch-site': 'none' } },
    { from: 'a form', headers: { 'sec-fetch-site': 'same-origin', origin: 'http://gateway.example' } },
    { from: 'another origin, in an old browser', headers: { 'x-hydrant-inspector': '1', origin: 'http://evil.example' } },
    { from: 'an opaque origin', headers: { 'x-hydrant-inspector': '1', origin: 'null' } },
    { from: 'nobody says where', headers: { 'x-hydrant-inspector': '1' } },
  ])('an action from $from is refused', async ({ headers }) => {
    await h.registry.use('acme', () => {});
    expect((await h.post('invalidate', 'acme', headers)).status).toBe(403);
    expect(h.registry.snapshot().idle).toBe(1);
  });

  test('an action of an old browser on the page itself is accepted, also behind a proxy that ends TLS', async () => {
    await h.registry.use('acme', () => {});
    const headers = { 'x-hydrant-inspector': '1', origin: 'https://gateway.example' };
    expect((await h.post('invalidate', 'acme', headers)).status).toBe(200);
  });

  test('no action is a GET', async () => {
    await h.registry.use('acme', () => {});
    await h.get('?action=invalidate&id=acme', { headers: OWN });
    expect(h.registry.snapshot().idle).toBe(1);
    expect((await h.get('', { method: 'DELETE' })).status).toBe(405);
  });
});
