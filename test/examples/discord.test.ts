import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MemoryStore } from 'hydrant';
import { ManualClock } from 'hydrant/testing';
import { eventually, example, gate, listening, type Gate } from './support.js';

const { createGateway } = await example('discord/gateway.mjs');
const { discordApplication } = await example('support/discord-sender.mjs');
const { startRecordingServer } = await example('support/recording-server.mjs');

type Assistant = (question: string) => Promise<string>;

const edited = (content: string): string[] => [`PATCH /webhooks/77/token-1/messages/@original {"content":"${content}"}`];

describe('examples/discord', () => {
  const application = discordApplication();
  let clock: ManualClock;
  let discord: { url: string; received: { method: string; path: string; body: string }[]; close(): Promise<void> };
  let preparing: Gate<Assistant>;
  let prepared: string[];
  let url: string;
  let close: () => Promise<void>;

  beforeEach(async () => {
    clock = new ManualClock();
    discord = await startRecordingServer();
    preparing = gate();
    prepared = [];
    const store = new MemoryStore([{ id: 'acme', applicationId: '77', publicKey: application.publicKey }]);
    const { listener, registry } = createGateway({
      store, clock, apiUrl: discord.url,
      prepare: (id: string) => { prepared.push(id); return preparing.promise; },
    });
    registry.on('hydrationFailed', () => {});
    const server = await listening(listener);
    url = `${server.origin}/discord/acme`;
    close = async () => {
      await server[Symbol.asyncDispose]();
      await registry.close({ drainTimeoutMs: 0 });
      await discord.close();
    };
  });
  afterEach(() => close());

  const ask = (): RequestInit =>
    application.request({ type: 2, token: 'token-1', data: { name: 'ask', options: [{ value: 'why?' }] } });
  const edits = (): string[] => discord.received.map(({ method, path, body }) => `${method} ${path} ${body}`);

  test('answers PING and probes with a bad signature cold', async () => {
    const ping = await fetch(url, application.request({ type: 1 }));
    expect({ status: ping.status, body: await ping.json() }).toEqual({ status: 200, body: { type: 1 } });
    expect((await fetch(url, discordApplication().request({ type: 1 }))).status).toBe(401);
    expect((await fetch(url, { ...application.request({ type: 1 }), body: '{"type":2}' })).status).toBe(401);
    expect((await fetch(url, { method: 'POST', body: '{"type":1}' })).status).toBe(401);
    expect(prepared).toEqual([]);
  });

  test('says that it is thinking after 2 s of a cold start, and writes the answer when it is there', async () => {
    const response = fetch(url, ask());
    await eventually(() => prepared).toEqual(['acme']);
    await clock.advance(2_000);
    expect(await (await response).json()).toEqual({ type: 5 });
    expect(edits()).toEqual([]);
    preparing.open(async (question) => `${question} 42`);
    await eventually(edits).toEqual(edited('why? 42'));
  });

  test('says so at once when it is warm', async () => {
    preparing.open(async (question) => `${question} 42`);
    for (let turn = 0; turn < 2; turn += 1) expect(await (await fetch(url, ask())).json()).toEqual({ type: 5 });
    await eventually(edits).toEqual([...edited('why? 42'), ...edited('why? 42')]);
    expect(prepared).toEqual(['acme']);
  });

  test('writes that it could not start, or could not answer, instead of thinking for ever', async () => {
    const response = fetch(url, ask());
    await eventually(() => prepared).toEqual(['acme']);
    await clock.advance(2_000);
    expect((await response).status).toBe(200);
    preparing.fail(new Error('no model'));
    await eventually(edits).toEqual(edited('I could not start (HYDRATION_FAILED).'));

    preparing = gate();
    preparing.open(() => Promise.reject(new Error('no')));
    const backOffMs = 1_000;
    await clock.advance(backOffMs);
    expect((await fetch(url, ask())).status).toBe(200);
    await eventually(edits).toEqual([...edited('I could not start (HYDRATION_FAILED).'), ...edited('I could not answer that.')]);
  });
});
