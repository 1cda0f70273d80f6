import express from 'express';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { expressWebhook } from 'hydrant/express';
import { endGracefully } from './shutdown.mjs';

const { PORT, VENDOR, NOTICE_MS } = process.env;

class Bot {
  /** @param {string} token */
  constructor(token) { this.token = token; }

  /** @param {string} path */
  ask(path) { return fetch(`${VENDOR}${path}`, { method: 'POST', headers: { authorization: this.token } }); }
}

const registry = new ConnectionRegistry({
  store: new MemoryStore([{ id: 'acme', token: 'let me in' }]),
  factory: {
    create: (record) => new Bot(record.token),
    dispose: async (bot) => { await bot.ask('/log-out'); },
    authenticate: (request, { record }) => request.headers.get('authorization') === record.token,
    async handleWebhook(bot, request, { waitUntil }) {
      const question = await request.text();
      const answer = await bot.ask(`/${question}`);
      waitUntil(bot.ask(`/${question}-was-answered`));
      return new Response(await answer.text());
    },
  },
});

const app = express();
app.post('/webhooks/:connectionId', expressWebhook(registry));
const server = app.listen(Number(PORT), '127.0.0.1');

const { isReady } = endGracefully({ server, registry, noticeMs: Number(NOTICE_MS) });
app.get('/ready', (_request, response) => { response.sendStatus(isReady() ? 200 : 503); });
