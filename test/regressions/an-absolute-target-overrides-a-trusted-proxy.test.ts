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
    {
      what: 'the host, which is the Host too',
      trust: true,
      headers: { 'X-Forwarded-Host': 'gateway' },
      url: 'http://gateway/webhooks/c1',
    },
    { what: 'the protocol', trust: true, headers: { 'X-Forwarded-Proto': 'https' }, url: 'https://evil/webhooks/c1' },
    {
      what: 'both',
      trust: true,
      headers: { 'X-Forwarded-Host': 'gateway', 'X-Forwarded-Proto': 'https' },
      url: 'https://gateway/webhooks/c1',
    },
    { what: 'another host', trust: true, headers: { 'X-Forwarded-Host': 'public' }, url: 'http://public/webhooks/c1' },
    { what: 'neither', trust: true, headers: {}, url: 'http://evil/webhooks/c1' },
    {
      what: 'a host, and is not trusted',
      trust: false,
      headers: { 'X-Forwarded-Host': 'public' },
      url: 'http://evil/webhooks/c1',
    },
    {
      what: 'a protocol, and is not trusted',
      trust: false,
      headers: { 'X-Forwarded-Proto': 'https' },
      url: 'http://evil/webhooks/c1',
    },
  ])('a proxy says $what', async ({ trust, headers, url }) => {
    const { port } = await SERVERS[framework]!(trust);
    const connection = await RawConnection.open(port);
    const all = Object.entries({ Host: 'gateway', ...headers, Connection: 'close' });
    const lines = all.map(([name, value]) => `${name}: ${value}\r\n`);
    connection.write(`GET http://evil/webhooks/c1 HTTP/1.1\r\n${lines.join('')}\r\n`);
    expect((await connection.untilClosed()).split('\r\n\r\n')[1]).toBe(JSON.stringify(url));
  });
});
