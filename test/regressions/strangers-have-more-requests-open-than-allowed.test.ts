import express from 'express';
import fastify from 'fastify';
import { ConnectionRegistry } from 'hydrant';
import { expressWebhook } from 'hydrant/express';
import { fastifyWebhook } from 'hydrant/fastify';
import { describe, expect, test } from 'vitest';
import { RawConnection, signal } from '../adapters/support/clients.js';
import { listen, type Listening } from '../adapters/support/servers.js';
import { deferred } from '../support/deferred.js';
import { post, seen, webhookHarness } from '../support/webhooks.js';

const ALLOWED = 3;

type Registry = Parameters<typeof expressWebhook>[0];
type Find = (request: Request) => Promise<string>;

const SERVERS: Record<string, (registry: Registry, connectionId: Find) => Promise<Listening>> = {
  Express: (registry, connectionId) => listen(express().post('/hooks', expressWebhook(registry, { connectionId }))),
  async Fastify(registry, connectionId) {
    const app = fastify();
    app.register(fastifyWebhook, { registry, path: '/hooks', connectionId });
    await app.ready();
    return listen(app.server);
  },
};

describe.each(Object.keys(SERVERS))('%s, a route with a connectionId function', (framework) => {
  test('calls the function for webhook.maxUnauthenticated requests at a time, and answers the others OVERLOADED', async () => {
    const registry = new ConnectionRegistry({
      store: { get: async (id) => ({ id, version: 1, status: 'active' as const }) },
      webhook: { maxUnauthenticated: ALLOWED },
      factory: { create: () => ({}), authenticate: () => true, handleWebhook: () => new Response('served') },
    });
    const told: string[] = [];
    registry.on('webhookFailed', ({ error }) => void told.push(error.code));
    const lookups: ReturnType<typeof signal<string>>[] = [];
    const { port } = await SERVERS[framework]!(registry, () => {
      const lookup = signal<string>();
      lookups.push(lookup);
      return lookup.promise;
    });
    const askUntilLookedUpOrRefused = async (): Promise<RawConnection> => {
      const before = lookups.length;
      const connection = await RawConnection.open(port);
      connection.write('POST /hooks HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}');
      while (lookups.length === before && connection.received === '') await new Promise(setImmediate);
      return connection;
    };
    const waiting = [];
    for (let count = 0; count < ALLOWED; count += 1) waiting.push(await askUntilLookedUpOrRefused());
    for (const connection of [await askUntilLookedUpOrRefused(), await askUntilLookedUpOrRefused()])
      expect(connection.received).toMatch(/^HTTP\/1\.1 503 [^]*OVERLOADED/);
    expect({ lookups: lookups.length, told }).toEqual({ lookups: ALLOWED, told: ['OVERLOADED', 'OVERLOADED'] });
    for (const lookup of lookups) lookup.resolve('c1');
    for (const connection of waiting) expect(await connection.untilClosed()).toContain('served');
    const more = await askUntilLookedUpOrRefused();
    lookups.at(-1)!.resolve('c1');
    expect(await more.untilClosed()).toContain('served');
    await registry.close();
  });
});

test.each(['a/malformed/id', 'unknown', 'known'])(
  'respondToFailure is called for webhook.maxUnauthenticated deliveries at a time, with the id: %s',
  async (id) => {
    const gate = deferred();
    let asked = 0;
    const respondToFailure = async (): Promise<undefined> => {
      asked += 1;
      await gate.promise;
      return undefined;
    };
    const h = webhookHarness({
      webhook: { maxUnauthenticated: ALLOWED, respondToFailure }, factory: { respondToFailure },
    });
    h.rows.put('known');
    const forge = (): Promise<Response> => h.registry.handleWebhook(id, post('x', { secret: 'forged' }));
    const waiting = [];
    for (let count = 0; count < ALLOWED; count += 1) {
      waiting.push(forge());
      await h.settle();
    }
    const refused = forge();
    await h.settle();
    gate.resolve();
    expect(await seen(await refused)).toMatchObject({ status: 503, code: 'OVERLOADED' });
    expect(asked).toBe(ALLOWED);
    const statuses = (await Promise.all(waiting)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([id === 'known' ? 401 : 404]));
    expect((await forge()).status).toBe(statuses[0]);
  },
);
