import type { ChatAdapter } from './contract.js';

/** The result of Telegram's `getMe`. */
export interface KnownTelegramBot {
  /** The part of the bot token before the colon. */
  readonly id: number | string;
  /** Without `@`. Messages mention the bot by it. */
  readonly username: string;
}

/**
 * Tells a Telegram adapter which bot it is, so that it does not ask (`getMe`) each time an instance is created. Slack's
 * and GitHub's adapters take `botUserId` for that.
 *
 * If a version of the adapter asks in another way, it is returned unchanged and still asks.
 *
 * @example
 * adapters: (record: Row) => ({
 *   telegram: withKnownBot(createTelegramAdapter({ … }), { id: record.botId, username: record.botName }),
 * })
 */
export function withKnownBot<A extends ChatAdapter>(adapter: A, { id, username }: KnownTelegramBot): A {
  const caller = adapter as { telegramFetch?: (method: string, ...rest: unknown[]) => Promise<unknown> };
  const ask = caller.telegramFetch;
  if (typeof ask !== 'function') return adapter;
  const me = { id: Number(id), is_bot: true, first_name: username, username };
  caller.telegramFetch = (method, ...rest) => method === 'getMe' ? Promise.resolve(me) : ask.call(adapter, method, ...rest);
  return adapter;
}
