import { describe, expect, test } from 'vitest';
import { RawConnection, send } from './support/clients.js';
import { ADAPTERS, answering } from './support/servers.js';

const echoUrl = answering((request) =>
  Response.json({ url: request.url, again: new Request(request.url).url, host: request.headers.get('host') }),
);

/** One request whose head is exactly these lines. */
async function raw(port: number, ...lines: string[]): Promise<string> {
  const connection = await RawConnection.open(port);
  connection.write(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`);
  return connection.untilClosed();
}

describe.each(Object.keys(ADAPTERS))('%s: request.url', (adapter) => {
  test.each([
    'a=1&a=2&b=%20+%2F&c=%e2%82%AC&&=&d',
    "q='quoted'&r=\"double\"&s=<tag>",
    'a=?b=?&c=/../x',
    '',
  ])('the query is kept byte for byte: %s', async (query) => {
    const { port } = await ADAPTERS[adapter]!(echoUrl);
    const { json } = await send(port, `/webhooks/c1?${query}`);
    expect(json.url).toBe(`http://127.0.0.1:${port}/webhooks/c1?${query}`);
  });

  test('host and port are kept', async () => {
    const { port } = await ADAPTERS[adapter]!(echoUrl);
    for (const host of ['hooks.example.com', 'hooks.example.com:8443', '[::1]:3000', '10.0.0.1']) {
      const { json } = await send(port, '/webhooks/c1', { headers: { host } });
      expect(json).toMatchObject({ url: `http://${host}/webhooks/c1`, host });
    }
  });

  test.each(['a b', 'evil/path', 'user@host', 'h:99999', 'h?x', 'h#x', 'a,b', '[::1', 'h:', 'é.example', 'h\\x'])(
    'an invalid Host is answered with 400: %s',
    async (host) => {
      const { port } = await ADAPTERS[adapter]!(echoUrl);
      const answer = await raw(port, 'POST /webhooks/c1 HTTP/1.1', `Host: ${host}`);
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).toContain('"title":"Bad Request"');
    },
  );

  test('HTTP/1.0 without Host is answered with 400', async () => {
    const { port } = await ADAPTERS[adapter]!(echoUrl);
    expect(await raw(port, 'POST /webhooks/c1 HTTP/1.0')).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('an invalid target never causes an exception', async () => {
    const { port } = await ADAPTERS[adapter]!(echoUrl);
    for (const target of ['*', 'http://', 'http://user:secret@h/webhooks/c1', 'ftp://h/webhooks/c1']) {
      const answer = await raw(port, `OPTIONS ${target} HTTP/1.1`, 'Host: h');
      const refusedByAdapterOrByRouter = expect.stringMatching(/^HTTP\/1\.1 (400|404) /);
      expect({ target, answer }).toEqual({ target, answer: refusedByAdapterOrByRouter });
      expect(answer).not.toContain('secret');
    }
  });

  test('`origin` is used unchanged, whatever Host says', async () => {
    const { port } = await ADAPTERS[adapter]!(echoUrl, { origin: 'https://hooks.example.com', trustProxy: true });
    const headers = { host: 'not valid', 'x-forwarded-host': 'evil', 'x-forwarded-proto': 'gopher' };
    const { json } = await send(port, '/webhooks/c1?x', { headers });
    expect(json.url).toBe('https://hooks.example.com/webhooks/c1?x');
  });

  test('forwarded headers are believed only with trustProxy', async () => {
    const headers = { host: 'inside:80', 'x-forwarded-host': 'hooks.example.com, inner', 'x-forwarded-proto': 'https, http' };
    for (const { trustProxy, url } of [
      { trustProxy: undefined, url: 'http://inside/webhooks/c1' },
      { trustProxy: false, url: 'http://inside/webhooks/c1' },
      { trustProxy: true, url: 'https://hooks.example.com/webhooks/c1' },
    ] as const) {
      const { port } = await ADAPTERS[adapter]!(echoUrl, { trustProxy });
      const { json } = await send(port, '/webhooks/c1', { headers });
      expect(json.url).toBe(url);
    }
  });

  test('a forwarded host that is not valid is answered with 400, another protocol is ignored', async () => {
    const { port } = await ADAPTERS[adapter]!(echoUrl, { trustProxy: true });
    expect((await send(port, '/webhooks/c1', { headers: { 'x-forwarded-host': 'a/b' } })).status).toBe(400);
    const { json } = await send(port, '/webhooks/c1', { headers: { host: 'h', 'x-forwarded-proto': 'javascript' } });
    expect(json.url).toBe('http://h/webhooks/c1');
  });

  test('headers reach the handler', async () => {
    const { port } = await ADAPTERS[adapter]!(answering((request) => Response.json([...request.headers])));
    const { json } = await send(port, '/webhooks/c1', { headers: { 'x-one': ['1', '2'], cookie: 'a=1; b=2', 'x-latin': 'é' } });
    expect(json).toEqual(expect.arrayContaining([['x-one', '1, 2'], ['cookie', 'a=1; b=2'], ['x-latin', 'é']]));
  });
});

test('node:http: the absolute form names the host (RFC 9112, 3.2.2)', async () => {
  const { port } = await ADAPTERS['node:http']!(echoUrl);
  const answer = await raw(port, "GET http://other.example:81/webhooks/c1?q='x' HTTP/1.1", 'Host: h');
  expect(answer).toContain(`"url":"http://other.example:81/webhooks/c1?q='x'"`);
});

test('node:http: a path that looks like a host stays a path', async () => {
  const { port } = await ADAPTERS['node:http']!(echoUrl);
  expect(await raw(port, 'GET //evil.example/x HTTP/1.1', 'Host: h')).toContain('"url":"http://h//evil.example/x"');
});

test('node:http: methods fetch does not know are answered with 501', async () => {
  const { port } = await ADAPTERS['node:http']!(echoUrl);
  expect(await raw(port, 'TRACE /webhooks/c1 HTTP/1.1', 'Host: h')).toMatch(/^HTTP\/1\.1 501 /);
});
