import type { ChatAdapter } from './contract.js';

/** The result of Telegram's `getMe`. */
export interface KnownTelegramBot {
  /** The part of the bot token before the colon. */
  readonly id: number | string;
  /** Without `@`. Messages mention the bot by it. */
  readonly username: string;
}

/** The identity that belongs to an API key of Linear. */
export interface KnownLinearBot {
  /** The `id` of its `viewer`. */
  readonly id: string;
  /** The `displayName` of its `viewer`. */
  readonly username: string;
  /** The `id` of its organization. */
  readonly organizationId: string;
}

/** The methods by which adapters ask. */
interface Asking {
  telegramFetch?: (method: string, ...rest: unknown[]) => Promise<unknown>;
  fetchClientIdentity?: () => Promise<unknown>;
}

/**
 * Tells a Telegram or Linear adapter which bot it is, so that it does not ask each time an instance is created. Slack's
 * and GitHub's adapters take `botUserId` for that.
 *
 * If a version of the adapter asks in another way, it is returned unchanged and still asks.
 *
 * @example
 * adapters: (record: Row) => ({
 *   telegram: withKnownBot(createTelegramAdapter({ … }), { id: record.botId, username: record.botName }),
 * })
 */
export function withKnownBot<A extends ChatAdapter>(adapter: A, bot: KnownTelegramBot | KnownLinearBot): A {
  const asking = adapter as Asking;
  const { id, username } = bot;
  const { telegramFetch } = asking;
  if (telegramFetch !== undefined) {
    const me = { id: Number(id), is_bot: true, first_name: username, username };
    asking.telegramFetch = (method, ...rest) =>
      method === 'getMe' ? Promise.resolve(me) : telegramFetch.call(adapter, method, ...rest);
  } else if (asking.fetchClientIdentity !== undefined && 'organizationId' in bot) {
    const identity = { botUserId: id, displayName: username, organizationId: bot.organizationId };
    asking.fetchClientIdentity = async () => identity;
  }
  return adapter;
}
