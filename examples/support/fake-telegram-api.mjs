import { startRecordingServer } from './recording-server.mjs';

/**
 * A Telegram Bot API on loopback: bots whose token ends in `:good` exist.
 *
 * @typedef {{ token: string, method: string, parameters: any }} Call
 */
export async function startFakeTelegramApi() {
  /** @type {Call[]} */
  const calls = [];
  const server = await startRecordingServer(({ path, body }) => {
    const [, token = '', method = ''] = /^\/bot([^/]+)\/(\w+)/.exec(path) ?? [];
    const parameters = body === '' ? {} : JSON.parse(body);
    calls.push({ token, method, parameters });
    if (!token.endsWith(':good')) return { status: 401, json: { ok: false, error_code: 401, description: 'Unauthorized' } };
    return { json: { ok: true, result: resultOf(method, token, parameters) } };
  });
  const reset = () => { calls.length = 0; server.received.length = 0; };
  return { url: server.url, calls, reset, connections: server.connections, close: server.close };
}

/** @param {string} method @param {string} token @param {any} parameters */
function resultOf(method, token, parameters) {
  switch (method) {
    case 'getMe':
      return { id: Number(token.split(':')[0]), is_bot: true, first_name: 'Bot', username: `bot_${token.split(':')[0]}` };
    case 'sendMessage':
      return { message_id: 1, date: 0, chat: { id: parameters.chat_id, type: 'private' }, text: parameters.text };
    default:
      return true;
  }
}

/**
 * A message as Telegram sends it: what `fetch` takes.
 *
 * @param {{ secretToken: string, text: string, chat?: number }} message
 */
export function telegramMessage({ secretToken, text, chat = 7 }) {
  const from = { id: 42, is_bot: false, first_name: 'Ada' };
  const update = {
    update_id: 1,
    message: { message_id: 1, date: 0, chat: { id: chat, type: 'private', first_name: 'Ada' }, from, text },
  };
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': secretToken },
    body: JSON.stringify(update),
  };
}
