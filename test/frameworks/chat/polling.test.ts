import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createMemoryState } from '@chat-adapter/state-memory';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { chatFactory, type ChatAdapter } from 'hydrant/chat';
import { createTelegramAdapter as createTelegramAdapter426 } from 'telegram-adapter-4.26';
import { expect, test } from 'vitest';

const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

test("a Telegram adapter of 4.26, which survives a shutdown, stops polling when its instance is disposed of", async () => {
  const polls: number[] = [];
  const api = createServer((request, response) => {
    request.resume();
    if (request.url?.endsWith('/getUpdates')) polls.push(Date.now());
    const result = request.url?.endsWith('/getMe') ? { id: 1, is_bot: true, first_name: 'b', username: 'b' } : [];
    setTimeout(() => response.setHeader('content-type', 'application/json').end(JSON.stringify({ ok: true, result })), 5);
  });
  await new Promise<void>((resolve) => {
    api.listen(0, '127.0.0.1', resolve);
  });
  const apiUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  const poller = () =>
    createTelegramAdapter426({
      botToken: '1:x',
      apiBaseUrl: apiUrl,
      apiUrl,
      mode: 'polling',
      logger: silent,
    } as never) as unknown as ChatAdapter;
  const factory = chatFactory({
    state: createMemoryState(),
    adapters: () => ({ telegram: poller() }),
    config: () => ({ logger: 'silent' }),
    replacement: 'drain-first',
  });
  const registry = new ConnectionRegistry({ store: new MemoryStore([{ id: 'c' }]), factory });

  await registry.use('c', async () => {
    while (polls.length < 3) await delay(5);
  });
  await registry.close();
  const atTheEnd = polls.length;
  await delay(150);
  expect(polls).toHaveLength(atTheEnd);
  api.closeAllConnections();
  api.close();
});
