import { once } from 'node:events';
import express from 'express';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { ExclusiveRunner, MemoryClaims } from 'hydrant/exclusive';
import { expressWebhook } from 'hydrant/express';
import { endGracefully } from './shutdown.mjs';

const { PORT, VENDOR, NOTICE_MS, CLAIMS } = process.env;

class Bot {
  /** @param {string} token */
  constructor(token) { this.token = token; }

  /** @param {string} path */
  ask(path) { return fetch(`${VENDOR}${path}`, { method: 'POST', headers: { authorization: this.token } }); }
}

const store = new MemoryStore([{ id: 'acme', token: 'let me in' }]);
const registry = new ConnectionRegistry({
  store,
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

/** The claim store answers, until it is told to hang. */
let hanging = false;
const claims = new MemoryClaims({ intercept: (_call, carryOut) => (hanging ? new Promise(() => {}) : carryOut()) });
const runner = new ExclusiveRunner({
  registry, claims, ttlMs: 3_000, stopTimeoutMs: 1_000,
  list: () => store.list(),
  async run({ signal, use }) {
    await use((bot) => bot.ask('/poll'));
    await once(signal, 'abort').catch(() => {});
    await use((bot) => bot.ask('/stop-polling'));
  },
});
runner.start();
process.once('SIGTERM', () => { hanging = CLAIMS === 'hang'; });

const app = express();
app.post('/webhooks/:connectionId', expressWebhook(registry));
const server = app.listen(Number(PORT), '127.0.0.1');

const { isReady } = endGracefully({ server, registry, runner, noticeMs: Number(NOTICE_MS) });
app.get('/ready', (_request, response) => { response.sendStatus(isReady() ? 200 : 503); });
