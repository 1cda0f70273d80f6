import { afterEach, describe, expect, test } from 'vitest';
import type { ConnectionRegistry } from 'hydrant';
import { fakeAdapter, fakeBot, signed, type Content } from './support/fakes.js';

const KNOWN = { botUserId: 'B1' };
const HEADERS = {
  slack: { 'x-slack-signature': 'v0=1' },
  discord: { 'x-signature-ed25519': '1' },
  telegram: { 'x-telegram-bot-api-secret-token': '1' },
  github: { 'x-github-event': 'push', 'x-hub-signature-256': 'sha256=1' },
  linear: { 'linear-signature': '1' },
  whatsapp: { 'x-hub-signature-256': 'sha256=1' },
};

let registry: ConnectionRegistry<any, any>;
afterEach(() => registry.close());

/** The answer to a delivery, or its refusal, and which adapters saw it. */
async function outcomeOf(names: readonly string[], content: Content) {
  const seen: string[] = [];
  registry = fakeBot(() => names.map((name) => fakeAdapter(name, seen, KNOWN)));
  registry.on('webhookFailed', () => {});
  const response = await registry.handleWebhook('c', signed(content));
  return { answer: response.ok ? await response.text() : response.status, seen };
}

interface Challenged { readonly name: keyof typeof HEADERS; readonly challenge: Content; readonly other: Content }

describe('a challenge is answered without an instance, and any other delivery is handled by one', () => {
  test.each<Challenged>([
    {
      name: 'slack',
      challenge: { headers: HEADERS.slack, body: { type: 'url_verification' } },
      other: { headers: HEADERS.slack, body: { type: 'event_callback' } },
    },
    {
      name: 'discord',
      challenge: { headers: HEADERS.discord, body: { type: 1 } },
      other: { headers: HEADERS.discord, body: { type: 2 } },
    },
    {
      name: 'github',
      challenge: { headers: { ...HEADERS.github, 'x-github-event': 'ping' }, body: { zen: 'x' } },
      other: { headers: HEADERS.github, body: { ref: 'main' } },
    },
    {
      name: 'whatsapp',
      challenge: { query: 'hub.mode=subscribe&hub.challenge=1' },
      other: { headers: HEADERS.whatsapp, body: { entry: [] } },
    },
  ])('$name', async ({ name, challenge, other }) => {
    expect(await outcomeOf([name], challenge)).toEqual({ answer: `answer of ${name}`, seen: [`${name} verifies`] });
    await registry.close();
    expect(await outcomeOf([name], other)).toMatchObject({ seen: [`${name} verifies`, `${name} handles`] });
  });

  test('a body that does not parse is left to the adapter, because it alone knows what is genuine', async () => {
    for (const name of ['slack', 'discord'] as const) {
      const { seen } = await outcomeOf([name], { headers: HEADERS[name], body: 'not JSON' });
      expect(seen).toEqual([`${name} verifies`, `${name} handles`]);
      await registry.close();
    }
  });
});

describe('a bot on several platforms', () => {
  test.each(Object.entries(HEADERS))('gets a delivery of %s by the adapter for it alone', async (name, headers) => {
    const { seen } = await outcomeOf(['own', ...Object.keys(HEADERS)], { headers });
    expect(seen).toEqual([`${name} verifies`, `${name} handles`]);
  });

  test.each([
    { name: 'to its Google Chat adapter', adapters: ['slack', 'gchat', 'own'], seen: ['gchat verifies', 'gchat handles'] },
    { name: 'to its Teams adapter', adapters: ['slack', 'teams'], seen: ['teams verifies', 'teams handles'] },
    { name: 'to neither if it has both', adapters: ['slack', 'gchat', 'teams'], seen: [] },
  ])('gets a delivery without a header of any platform: $name', async ({ adapters, seen }) => {
    const outcome = await outcomeOf(adapters, {});
    expect(outcome.seen).toEqual(seen);
    expect(outcome.answer).toEqual(seen.length === 0 ? 401 : expect.any(String));
  });

  test('refuses a delivery of a platform that it has no adapter for', async () => {
    expect(await outcomeOf(['slack', 'telegram'], { headers: HEADERS.linear })).toEqual({ answer: 401, seen: [] });
  });
});

describe('a delivery that the adapter answers before it is initialized with', () => {
  test.each([
    { status: 401, of: 'teams', created: 0, why: 'its webhookVerifier refused it' },
    { status: 500, of: 'teams', created: 1, why: 'without a webhookVerifier its handler verifies' },
    { status: 401, of: 'gchat', created: 0, why: 'it is forged' },
    { status: 500, of: 'gchat', created: 0, why: 'an adapter that fails has not verified anything' },
    { status: 200, of: 'gchat', created: 1, why: 'it is genuine' },
  ])('$status starts $created instances of a bot on $of: $why', async ({ status, of, created }) => {
    let creates = 0;
    const adapter = () => fakeAdapter(of, [], { handleWebhook: async () => new Response(null, { status }) });
    registry = fakeBot(() => [adapter()], { setup: () => { creates += 1; } });
    registry.on('webhookFailed', () => {});
    await registry.handleWebhook('c', signed({}));
    expect(creates).toBe(created);
  });
});
