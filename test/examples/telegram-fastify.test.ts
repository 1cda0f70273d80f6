import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MemoryStore } from 'hydrant';
import { example } from './support.js';

const { createGateway } = await example('telegram-fastify/gateway.mjs');
const { startFakeTelegramApi, telegramMessage } = await example('support/fake-telegram-api.mjs');

describe('examples/telegram-fastify', () => {
  let telegram: { url: string; calls: { token: string; method: string; parameters: any }[]; close(): Promise<void> };
  let store: MemoryStore<any>;
  let origins: string[];
  let close: () => Promise<unknown>;

  beforeEach(async () => {
    telegram = await startFakeTelegramApi();
    store = new MemoryStore();
    const replicas = await Promise.all(
      [0, 1].map(() => createGateway({ store, publicUrl: 'https://bots.example.com', apiRoot: telegram.url })),
    );
    origins = await Promise.all(replicas.map(({ app }) => app.listen({ port: 0, host: '127.0.0.1' })));
    close = () => Promise.all(replicas.map(({ app }) => app.close()));
  });

  afterEach(async () => {
    await close();
    await telegram.close();
  });

  const json = (replica: number, method: string, path: string, body: string): Promise<Response> =>
    fetch(`${origins[replica]}${path}`, { method, headers: { 'content-type': 'application/json' }, body });
  const install = (replica: number, greeting: string, token = '1:good'): Promise<Response> =>
    json(replica, 'PUT', '/bots/helper', JSON.stringify({ token, greeting }));
  const message = async (replica: number, secretToken?: string): Promise<number> => {
    const row = await store.get('helper') as unknown as { secretToken: string };
    return (
      await fetch(
        `${origins[replica]}/telegram/helper`,
        telegramMessage({ secretToken: secretToken ?? row.secretToken, text: 'hi' }),
      )
    ).status;
  };
  const methods = (): string[] => telegram.calls.map(({ method }) => method);

  test('serves a bot on a replica that has never seen it, with no call before the answer', async () => {
    expect(await (await install(0, 'Hello')).json()).toEqual({ username: 'bot_1' });
    expect(await message(1)).toBe(200);
    expect(methods()).toEqual(['getMe', 'setWebhook', 'sendMessage']);
    expect(telegram.calls.at(-1)?.parameters).toMatchObject({ chat_id: 7, text: 'Hello, Ada' });
    expect(telegram.calls[1]?.parameters).toMatchObject({
      url: 'https://bots.example.com/telegram/helper',
      secret_token: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
  });

  test('follows an edit that was made on the other replica, secret and all', async () => {
    await install(0, 'Hello');
    expect(await message(1)).toBe(200);
    const { secretToken } = await store.get('helper') as unknown as { secretToken: string };
    await install(0, 'Good morning');
    expect(await message(1, secretToken)).toBe(401);
    expect(await message(1)).toBe(200);
    expect(telegram.calls.at(-1)?.parameters.text).toBe('Good morning, Ada');
  });

  test('refuses a forged update before there is a bot, and an unknown bot', async () => {
    await install(0, 'Hello');
    expect(await message(1, 'a guess')).toBe(401);
    expect(await message(1, '')).toBe(401);
    expect((await fetch(`${origins[1]}/telegram/nobody`, telegramMessage({ secretToken: 'x', text: 'hi' }))).status).toBe(404);
    expect(methods()).toEqual(['getMe', 'setWebhook']);
  });

  test('asks Telegram to send an update again when the bot’s answer fails', async () => {
    await install(0, 'Hello');
    const row = await store.get('helper') as any;
    await store.put({ ...row, token: '1:revoked' });
    const errors: unknown[] = [];
    const { error } = console;
    console.error = (...args: unknown[]) => errors.push(args);
    try {
      expect(await message(1)).toBe(500);
    } finally {
      console.error = error;
    }
    expect(errors).toHaveLength(1);
  });

  test('leaves Fastify’s own routes their parsers, and they use the same bots', async () => {
    await install(0, 'Hello');
    expect((await json(1, 'POST', '/bots/helper/messages', '{')).status).toBe(400);
    expect((await json(1, 'POST', '/bots/helper/messages', JSON.stringify({ chat: '9', text: 'Lunch' }))).status).toBe(204);
    expect(telegram.calls.at(-1)).toMatchObject({ method: 'sendMessage', parameters: { chat_id: '9', text: 'Lunch' } });
  });
});
