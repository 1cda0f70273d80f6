import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { connectionsOf } from './recording-server.mjs';

/**
 * A Slack Web API on loopback: enough of it for a bot that answers, and it counts what it is asked.
 *
 * @typedef {{ token: string, channel: string, text: string }} Message
 * @typedef {{
 *   url: string,
 *   calls: Map<string, number>,
 *   messages: Message[],
 *   reset: () => void,
 *   connections: () => Promise<number>,
 *   close: () => Promise<void>,
 * }} FakeSlackApi `url` is the value for a client's `apiUrl` or `SLACK_API_URL`; `calls` counts by method
 */

/**
 * @param {{ latencyMs?: number }} [options] how long each call takes; the real one takes 50 to 300 ms
 * @returns {Promise<FakeSlackApi>}
 */
export async function startFakeSlackApi({ latencyMs = 0 } = {}) {
  /** @type {Map<string, number>} */
  const calls = new Map();
  /** @type {Message[]} */
  const messages = [];
  const server = createServer({ keepAliveTimeout: 60_000 }, async (request, response) => {
    const method = new URL(request.url ?? '/', 'http://slack').pathname.replace('/api/', '');
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    const token = form.get('token') ?? (request.headers.authorization ?? '').replace('Bearer ', '');
    calls.set(method, (calls.get(method) ?? 0) + 1);
    if (latencyMs > 0) await delay(latencyMs);
    const answer = token.startsWith('xoxb-') ? answerTo(method, form) : { ok: false, error: 'invalid_auth' };
    if (method === 'chat.postMessage' && answer.ok) {
      messages.push({ token, channel: form.get('channel') ?? '', text: form.get('text') ?? '' });
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(undefined)); });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the fake Slack API has no port');
  return {
    url: `http://127.0.0.1:${address.port}/api/`,
    calls,
    messages,
    reset() { calls.clear(); messages.length = 0; },
    connections: () => connectionsOf(server),
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => { server.close(() => resolve()); });
    },
  };
}

/**
 * @param {string} method
 * @param {URLSearchParams} form
 * @returns {{ ok: boolean } & Record<string, unknown>}
 */
function answerTo(method, form) {
  switch (method) {
    case 'auth.test':
      return {
        ok: true,
        url: 'https://acme.slack.com/',
        team: 'Acme',
        team_id: 'T0001',
        user: 'bot',
        user_id: 'U0001',
        bot_id: 'B0001',
      };
    case 'users.info': {
      const id = form.get('user') ?? '';
      return {
        ok: true,
        user: { id, name: 'ada', real_name: 'Ada', is_bot: false, profile: { display_name: 'ada', real_name: 'Ada' } },
      };
    }
    case 'chat.postMessage': {
      const ts = `${Math.floor(Date.now() / 1000)}.${String(++posted).padStart(6, '0')}`;
      return { ok: true, channel: form.get('channel'), ts, message: { type: 'message', ts, text: form.get('text') } };
    }
    default:
      return { ok: false, error: 'unknown_method' };
  }
}

let posted = 0;
