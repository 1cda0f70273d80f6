import express from 'express';
import { Chat } from 'chat';
import { createSlackAdapter } from '@chat-adapter/slack';
import { verifySlackRequest } from '@chat-adapter/slack/webhook';
import { createMemoryState } from '@chat-adapter/state-memory';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { expressWebhook } from 'hydrant/express';

// PostgresStore in production.
const store = new MemoryStore([{ id: 'acme', signingSecret: 'shh', botToken: 'xoxb-1', botUserId: 'U1' }]);
const registry = new ConnectionRegistry({ store, factory: {
  create(record) {
    const chat = new Chat({ userName: 'bot', state: createMemoryState(), adapters: { slack: createSlackAdapter(record) } });
    chat.onSlashCommand('/ping', async ({ channel }) => { await channel.post('pong'); });
    return chat;
  },
  dispose: (chat) => chat.shutdown(),
  authenticate: (request, { record }) => verifySlackRequest(request, record).then(() => true, () => false),
  handleWebhook: (chat, request, { waitUntil }) => chat.webhooks.slack(request, { waitUntil }),
} });
const server = express().post('/webhooks/:connectionId', expressWebhook(registry)).listen(process.env.PORT ?? 3000);
process.once('SIGTERM', () => server.close(() => void registry.close()));
