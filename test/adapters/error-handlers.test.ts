import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import fastify from 'fastify';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { express4 } from './support/servers.js';

const registry = new ConnectionRegistry({
  store: new MemoryStore([{ id: 'stopped', status: 'stopped' as const }]),
  factory: { create: () => ({}) },
});
const down = new ConnectionRegistry({
  store: {
    get: async () => {
      throw new Error('no database');
    },
  },
  factory: { create: () => ({}) },
});
const use = (id: string): Promise<unknown> => (id === 'down' ? down : registry).use(id, () => 'ok');
const EXPECTED = { unknown: 404, stopped: 404, down: 503 };

const servers: Server[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  for (const server of servers.splice(0)) server.close();
});

async function statusesOf(server: Server): Promise<Record<string, number>> {
  servers.push(server);
  if (!server.listening) await new Promise((resolve) => { server.once('listening', resolve); });
  const { port } = server.address() as AddressInfo;
  const answers = await Promise.all(
    Object.keys(EXPECTED).map(async (id) => [id, (await fetch(`http://127.0.0.1:${port}/${id}`)).status] as const),
  );
  return Object.fromEntries(answers);
}

describe('a ConnectionError that reaches a framework is answered with its status', () => {
  test('Express 5', async () => {
    vi.spyOn(console, 'error').mockReturnValue(undefined);
    const app = express();
    app.get('/:id', (req, res) => use(req.params.id).then((body) => res.send(body)));
    expect(await statusesOf(app.listen(0, '127.0.0.1'))).toEqual(EXPECTED);
  });

  test('Express 4', async () => {
    vi.spyOn(console, 'error').mockReturnValue(undefined);
    const app = express4();
    app.get('/:id', (req, res, next) => { use(req.params.id).then((body) => res.send(body), next); });
    expect(await statusesOf(app.listen(0, '127.0.0.1'))).toEqual(EXPECTED);
  });

  test('Fastify', async () => {
    vi.spyOn(console, 'error').mockReturnValue(undefined);
    const app = fastify();
    app.get<{ Params: { id: string } }>('/:id', (request) => use(request.params.id));
    await app.listen({ port: 0, host: '127.0.0.1' });
    expect(await statusesOf(app.server)).toEqual(EXPECTED);
  });
});
