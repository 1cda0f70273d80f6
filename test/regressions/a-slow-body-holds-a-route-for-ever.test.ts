import { ConnectionRegistry } from 'hydrant';
import { expressWebhook } from 'hydrant/express';
import { fastifyWebhook } from 'hydrant/fastify';
import { ManualClock } from 'hydrant/testing';
import express from 'express';
import fastify from 'fastify';
import { describe, expect, test } from 'vitest';
import { plateau, RawConnection, signal } from '../adapters/support/clients.js';
import { listen, type Listening } from '../adapters/support/servers.js';

type Registry = Parameters<typeof expressWebhook>[0];
type Source = Parameters<typeof expressWebhook>[1] extends { readonly connectionId?: infer S } | undefined
  ? NonNullable<S>
  : never;

const SERVERS: Record<string, (registry: Registry, connectionId: Source) => Promise<Listening>> = {
  Express: (registry, connectionId) =>
    listen(express().post('/hooks/:connectionId', expressWebhook(registry, { connectionId, onError: () => {} }))),
  async Fastify(registry, connectionId) {
    const app = fastify();
    app.register(fastifyWebhook, { registry, path: '/hooks/:connectionId', connectionId, onError: () => {} });
    await app.ready();
    return listen(app.server);
  },
};

describe.each(Object.keys(SERVERS))('%s', (framework) => {
  test.each<{ what: string; connectionId: Source }>([
    { what: 'whose id is a parameter', connectionId: 'connectionId' },
    { what: 'whose id is found by a function', connectionId: async (request) => { await request.text(); return 'c1'; } },
    { what: 'whose function never answers', connectionId: () => new Promise<string>(() => {}) },
  ])('a route $what answers 503 after acquireTimeoutMs, and closes the connection', async ({ connectionId }) => {
    const clock = new ManualClock();
    const asked = signal();
    const registry = new ConnectionRegistry({
      store: {
        get: async (id) => {
          asked.resolve();
          return { id, version: 1, status: 'active' as const };
        },
      },
      clock,
      acquireTimeoutMs: 5_000,
      factory: { create: () => ({}), authenticate: () => true, handleWebhook: () => new Response('served') },
    });
    registry.on('webhookFailed', () => {});
    const { port } = await SERVERS[framework]!(registry, connectionId);
    const connection = await RawConnection.open(port);
    const isWhole = !(typeof connectionId === 'string' || connectionId.length > 0);
    connection.write(`POST /hooks/c1 HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(isWhole ? 100_000 : 5)}`);
    await plateau(() => clock.pendingTimers);
    await clock.advance(4_999);
    expect(connection.received).toBe('');
    await clock.advance(1);
    expect(await connection.until((received) => received.includes('ACQUIRE_TIMEOUT'))).toMatch(
      /^HTTP\/1\.1 503 [^]*retry-after: 1\r\n/i,
    );
    if (!isWhole) await connection.untilClosed();
    connection.socket.destroy();
    await registry.close();
  });
});
