import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { example } from './support.js';

const { startCluster } = await example('mcp-sessions/cluster.mjs');

describe('examples/mcp-sessions', () => {
  let cluster: any;
  const clients = new Set<{ close(): Promise<void> }>();

  beforeEach(async () => {
    cluster = await startCluster();
    await cluster.add();
    await cluster.add();
  });
  afterEach(async () => {
    await Promise.all([...clients].map((client) => client.close()));
    clients.clear();
    await cluster.close();
  });

  const connect = async (
    user: string,
    sessionId?: string,
  ): Promise<{ transport: any; call(name: string, input?: unknown): Promise<string> }> => {
    const connected = await cluster.client(user, sessionId);
    clients.add(connected.client);
    return connected;
  };

  test('serves each request of one session on whatever replica it lands', async () => {
    const { call } = await connect('ada');
    for (const note of ['milk', 'bread', 'tea']) expect(await call('remember', { note })).toBe('kept');
    expect(await call('recall')).toBe('milk, bread, tea');
    const served = cluster.replicas.map((replica: { served: string[] }) => replica.served);
    expect(served).toEqual([
      ['initialize', 'tools/call', 'tools/call'],
      ['notifications/initialized', 'tools/call', 'tools/call'],
    ]);
  });

  test('goes on when every replica it has ever seen was replaced', async () => {
    const { call } = await connect('ada');
    await call('remember', { note: 'milk' });
    for (const replica of cluster.replicas.slice()) await replica.stop();
    await cluster.add();
    expect(await call('recall')).toBe('milk');
  });

  test('keeps sessions apart', async () => {
    const [ada, eve] = await Promise.all([connect('ada'), connect('eve')]);
    await ada.call('remember', { note: 'milk' });
    await eve.call('remember', { note: 'tea' });
    expect({ ada: await ada.call('recall'), eve: await eve.call('recall') }).toEqual({ ada: 'milk', eve: 'tea' });
  });

  test('refuses another user who knows the session id, without resuming the session', async () => {
    const ada = await connect('ada');
    await ada.call('recall');
    for (const replica of cluster.replicas.slice()) await replica.stop();
    const fresh = await cluster.add();
    const eve = await connect('eve', ada.transport.sessionId);
    await expect(eve.call('recall')).rejects.toMatchObject({ status: 401 });
    expect(fresh.registry.snapshot().live).toBe(0);
  });

  test('answers 404 on every replica once the session has ended, so that a client begins a new one', async () => {
    const ada = await connect('ada');
    const other = await connect('ada', ada.transport.sessionId);
    for (let turn = 0; turn < 2; turn += 1) expect(await other.call('recall')).toBe('');
    await ada.transport.terminateSession();
    for (let turn = 0; turn < 2; turn += 1) await expect(other.call('recall')).rejects.toMatchObject({ status: 404 });
    expect(await (await connect('ada')).call('recall')).toBe('');
  });

  test('starts no session for an unauthenticated client, nor without initialize', async () => {
    const [{ origin }] = cluster.replicas;
    const post = async (headers: Record<string, string>, method: string): Promise<number> =>
      (
        await fetch(origin, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: {} }),
        })
      ).status;
    expect(await post({}, 'initialize')).toBe(401);
    expect(await post({ authorization: 'Bearer token-of-ada' }, 'tools/call')).toBe(400);
    expect(await cluster.store.list()).toEqual([]);
  });
});
