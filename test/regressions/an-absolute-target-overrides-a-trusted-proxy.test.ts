import fastify from 'fastify';
import { fastifyWebhook } from 'hydrant/fastify';
import express from 'express';
import { expressWebhook } from 'hydrant/express';
import { describe, expect, test } from 'vitest';
import { RawConnection } from '../adapters/support/clients.js';
import { answering, listen, type Listening } from '../adapters/support/servers.js';

const registry = answering((request) => Response.json(request.url));

const SERVERS: Record<string, (trust: boolean) => Promise<Listening>> = {
  Express: (trust) => listen(express().set('trust proxy', trust)
    .all('*path', expressWebhook(registry, { connectionId: () => 'c1' }))),
  async Fastify(trust) {
    const app = fastify({ trustProxy: trust });
    app.register(fastifyWebhook, { registry, prefix: '/webhooks', path: '/:connectionId' });
    await app.ready();
    return listen(app.server);
  },
};

describe.each(Object.keys(SERVERS))('%s', (framework) => {
  test.each([
    ['the host, which is the Host too', true, { 'X-Forwarded-Host': 'gateway' }, 'http://gateway/webhooks/c1'],
    ['the protocol', true, { 'X-Forwarded-Proto': 'https' }, 'https://evil/webhooks/c1'],
    ['both', true, { 'X-Forwarded-Host': 'gateway', 'X-Forwarded-Proto': 'https' }, 'https://gateway/webhooks/c1'],
    ['another host', true, { 'X-Forwarded-Host': 'public' }, 'http://public/webhooks/c1'],
    ['neither', true, {}, 'http://evil/webhooks/c1'],
    ['a host, and is not trusted', false, { 'X-Forwarded-Host': 'public' }, 'http://evil/webhooks/c1'],
    ['a protocol, and is not trusted', false, { 'X-Forwarded-Proto': 'https' }, 'http://evil/webhooks/c1'],
  ])('a proxy says %s', async (_what, trust, headers, url) => {
    const { port } = await SERVERS[framework]!(trust);
    const connection = await RawConnection.open(port);
    const all = Object.entries({ Host: 'gateway', ...headers, Connection: 'close' });
    const lines = all.map(([name, value]) => `${name}: ${value}\r\n`);
    connection.write(`GET http://evil/webhooks/c1 HTTP/1.1\r\n${lines.join('')}\r\n`);
    expect((await connection.untilClosed()).split('\r\n\r\n')[1]).toBe(JSON.stringify(url));
  });
});
