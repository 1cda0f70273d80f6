import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MemoryStore } from 'hydrant';
import { example } from './support.js';

const { createGateway } = await example('whatsapp/gateway.mjs');
const { whatsappMessage } = await example('support/whatsapp-sender.mjs');
const { startRecordingServer } = await example('support/recording-server.mjs');

describe('examples/whatsapp', () => {
  const row = { id: 'acme', phoneNumberId: '100', accessToken: 't1', appSecret: 'shh', verifyToken: 'open sesame' };
  let token: string;
  let store: MemoryStore<typeof row>;
  let graph: { url: string; received: { method: string; path: string; body: string }[]; close(): Promise<void> };
  let gateway: { app: { request(path: string, init?: RequestInit): Promise<Response> }; registry: any };
  let events: string[];

  beforeEach(async () => {
    token = 't1';
    graph = await startRecordingServer(({ headers }: { headers: { authorization?: string } }) => (
      headers.authorization === `Bearer ${token}` ? { json: { verified_name: 'Acme' } } : { status: 401 }));
    store = new MemoryStore([row]);
    gateway = createGateway({ store, graphUrl: graph.url });
    events = [];
    for (const event of ['retired', 'hydrationFailed', 'webhookFailed']) gateway.registry.on(event, () => events.push(event));
  });
  afterEach(async () => {
    await gateway.registry.close();
    await graph.close();
  });

  const asked = (query: Record<string, string>): Promise<Response> =>
    gateway.app.request(`/whatsapp/acme?${new URLSearchParams(query)}`);
  const send = async (appSecret = 'shh'): Promise<number> =>
    (await gateway.app.request('/whatsapp/acme', whatsappMessage({ appSecret, text: 'hi' }))).status;

  test('answers the challenge from the row, and only to who knows the verify token', async () => {
    const challenge = { 'hub.mode': 'subscribe', 'hub.verify_token': 'open sesame', 'hub.challenge': '1158201444' };
    const response = await asked(challenge);
    expect({ status: response.status, body: await response.text() }).toEqual({ status: 200, body: '1158201444' });
    expect((await asked({ ...challenge, 'hub.verify_token': 'a guess' })).status).toBe(401);
    expect((await asked({ ...challenge, 'hub.mode': 'other' })).status).toBe(401);
    expect((await asked({})).status).toBe(401);
    expect(graph.received).toEqual([]);
  });

  test('serves a signed message cold and refuses a forged one before it starts anything', async () => {
    expect(await send('a guess')).toBe(401);
    expect(graph.received).toEqual([]);
    expect(await send()).toBe(200);
    expect(graph.received.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /100?fields=verified_name',
      'POST /100/messages',
    ]);
    expect(JSON.parse(graph.received[1]?.body ?? '')).toMatchObject({ to: '4915112345', text: { body: 'You said: hi (Acme)' } });
  });

  test('retires what serves with a revoked token, pauses, and starts at once after the row was edited', async () => {
    expect(await send()).toBe(200);
    token = 't2';
    expect(await send()).toBe(500);
    expect(await send()).toBe(503);
    expect(events).toContain('retired');
    await store.put({ ...row, accessToken: 't2' });
    expect(await send()).toBe(200);
  });
});
