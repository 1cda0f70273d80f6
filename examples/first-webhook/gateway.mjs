import express from 'express';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { expressWebhook } from 'hydrant/express';

class Bot { // yours: expensive to start, stateful, closeable
  constructor({ greeting }) { this.greeting = greeting; this.served = 0; }
  static async start(row) { console.log(`${row.id} starts`); return new Bot(row); }
  async handle(request) {
    const { name } = await request.json();
    return Response.json({ reply: `${this.greeting}, ${name}`, served: ++this.served });
  }
  async stop() { console.log('stopped'); }
}

const store = new MemoryStore([{ id: 'acme', token: 's3cret', greeting: 'Hello' }]);
const registry = new ConnectionRegistry({ store, factory: {
  create: (row) => Bot.start(row),
  dispose: (bot) => bot.stop(),
  authenticate: (request, { record }) => request.headers.get('x-token') === record.token,
  handleWebhook: (bot, request) => bot.handle(request),
} });
const server = express().post('/webhooks/:connectionId', expressWebhook(registry)).listen(process.env.PORT ?? 3000);
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close(() => void registry.close()));
