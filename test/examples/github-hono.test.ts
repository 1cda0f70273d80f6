import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MemoryStore } from 'hydrant';
import { ManualClock } from 'hydrant/testing';
import { eventually, example } from './support.js';

const { createGateway } = await example('github-hono/gateway.mjs');
const { issueOpened } = await example('support/github-sender.mjs');
const { startRecordingServer } = await example('support/recording-server.mjs');

describe('examples/github-hono', () => {
  const row = { id: 'acme', repository: 'acme/widgets', token: 't', secret: 'new', previousSecret: 'old' };
  let clock: ManualClock;
  let store: MemoryStore<any>;
  let inbox: Map<string, unknown>;
  let answer: () => { status?: number; json?: unknown } | Promise<{ status?: number }>;
  let github: { url: string; received: { method: string; path: string; body: string }[]; close(): Promise<void> };
  let gateway: { app: { request(path: string, init: RequestInit): Promise<Response> }; registry: any; replay(): Promise<void> };

  beforeEach(async () => {
    clock = new ManualClock();
    store = new MemoryStore([row]);
    inbox = new Map();
    answer = () => ({ json: [{ name: 'crash' }] });
    github = await startRecordingServer(() => answer());
    gateway = createGateway({ store, inbox, apiUrl: github.url, clock, failureBackoff: { initialMs: 0, maxMs: 0 } });
    gateway.registry.on('hydrationFailed', () => {});
  });

  afterEach(async () => {
    await gateway.registry.close({ drainTimeoutMs: 0 });
    await github.close();
  });

  const send = async (issue: { secret: string; title?: string }, path = '/github/acme'): Promise<number> =>
    (await gateway.app.request(path, await issueOpened(issue))).status;
  const comments = (): string[] => github.received.filter(({ method }) => method === 'POST').map(({ body }) => body);

  test('serves a signed delivery cold, under the new secret and the old one', async () => {
    expect(await send({ secret: 'new', title: 'A crash' })).toBe(204);
    expect(await send({ secret: 'old' })).toBe(204);
    expect(comments()).toEqual(['{"body":"Thank you. Filed under crash."}', '{"body":"Thank you."}']);
    await store.put({ ...row, previousSecret: undefined });
    expect(await send({ secret: 'old' })).toBe(401);
  });

  test('asks nothing of GitHub for a forged, unsigned or unknown delivery, and keeps none of them', async () => {
    expect(await send({ secret: 'a guess' })).toBe(401);
    expect((await gateway.app.request('/github/acme', { method: 'POST', body: '{}' })).status).toBe(401);
    expect(await send({ secret: 'new' }, '/github/nobody')).toBe(404);
    expect({ received: github.received, queued: inbox.size }).toEqual({ received: [], queued: 0 });
  });

  test('keeps a delivery that cannot be served, and replays it until it can', async () => {
    answer = () => ({ status: 502 });
    expect(await send({ secret: 'new', title: 'A crash' })).toBe(202);
    expect(inbox.size).toBe(1);
    await gateway.replay();
    expect(inbox.size).toBe(1);
    answer = () => ({ json: [] });
    await gateway.replay();
    expect({ queued: inbox.size, comments: comments() }).toEqual({ queued: 0, comments: ['{"body":"Thank you."}'] });
  });

  test('answers after 8 s, goes on, and keeps the delivery if that fails', async () => {
    let fail!: () => void;
    const failing = new Promise<{ status: number }>((resolve) => { fail = () => resolve({ status: 500 }); });
    answer = () => failing;
    const status = send({ secret: 'new' });
    await eventually(() => github.received.length).toBe(1);
    await clock.advance(8_000);
    expect({ status: await status, queued: inbox.size }).toEqual({ status: 202, queued: 0 });
    fail();
    await eventually(() => inbox.size).toBe(1);
  });

  test('answers 503 while the store is down, because no secret can be checked', async () => {
    gateway.registry.on('storeFailed', () => {});
    store.get = () => Promise.reject(new Error('down'));
    expect({ status: await send({ secret: 'new' }), queued: inbox.size }).toEqual({ status: 503, queued: 0 });
  });
});
