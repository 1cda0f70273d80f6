import { createServer } from 'node:http';

/** @param {import('node:http').ServerResponse} response @param {unknown} result */
function ok(response, result) {
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ ok: true, result }));
}

/** @param {import('node:http').ServerResponse} response @param {number} code @param {string} description */
function error(response, code, description) {
  response
    .writeHead(code, { 'content-type': 'application/json' })
    .end(JSON.stringify({ ok: false, error_code: code, description }));
}

/**
 * The part of Telegram's Bot API that polling needs, on loopback. Like the real one, it lets one `getUpdates` wait per bot.
 * When a second one comes, the first is answered with 409. The first part of the path names the caller.
 */
export async function startBotApi() {
  /**
   * @type {Map<string, { updates: { update_id: number, message: unknown }[],
   *   waiting: import('node:http').ServerResponse | undefined, polledBy: string | undefined }>}
   */
  const bots = new Map();
  /** @type {{ token: string, text: string }[]} */
  const sent = [];
  let conflicts = 0;
  let nextUpdate = 1;

  /** @param {string} token */
  const botOf = (token) => {
    const bot = bots.get(token) ?? { updates: [], waiting: undefined, polledBy: undefined };
    bots.set(token, bot);
    return bot;
  };
  const server = createServer(async (request, response) => {
    const [, poller, token = '', method = ''] = /^\/(\w+)\/bot([^/]+)\/(\w+)/.exec(request.url ?? '') ?? [];
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const parameters = chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString());
    const bot = botOf(token);
    if (method === 'getMe') return ok(response, { id: 1, is_bot: true, first_name: token, username: 'bot' });
    if (method === 'sendMessage') {
      sent.push({ token, text: parameters.text });
      return ok(response, {
        message_id: sent.length,
        date: 0,
        chat: { id: parameters.chat_id, type: 'private' },
        text: parameters.text,
      });
    }
    if (method !== 'getUpdates') return error(response, 404, 'Not Found');
    if (bot.waiting !== undefined) {
      conflicts += 1;
      error(
        bot.waiting,
        409,
        'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
      );
    }
    bot.updates = bot.updates.filter(({ update_id }) => update_id >= (parameters.offset ?? 0));
    bot.polledBy = poller;
    if (bot.updates.length > 0) return ok(response, bot.updates);
    bot.waiting = response;
    const timer = setTimeout(() => ok(response, []), (parameters.timeout ?? 0) * 1_000);
    response.once('close', () => {
      clearTimeout(timer);
      if (bot.waiting === response) bot.waiting = undefined;
    });
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(undefined)); });
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${address.port}`,
    /** The messages that bots have sent. */
    sent,
    /** The number of times that two polled the same bot. */
    get conflicts() { return conflicts; },
    /** Which replica polled a bot last. @param {string} token */
    pollerOf: (token) => botOf(token).polledBy,
    /** A user writes to a bot. @param {string} token @param {string} text */
    receive(token, text) {
      const bot = botOf(token);
      const chat = { id: 7, type: 'private', first_name: 'Ada' };
      bot.updates.push({
        update_id: nextUpdate,
        message: { message_id: nextUpdate, date: 0, chat, from: { id: 7, is_bot: false, first_name: 'Ada' }, text },
      });
      nextUpdate++;
      const { waiting } = bot;
      bot.waiting = undefined;
      if (waiting !== undefined) ok(waiting, bot.updates);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
    },
  };
}
