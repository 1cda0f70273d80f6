/**
 * Bots of many customers with the [Chat SDK](https://chat-sdk.dev): one `Chat` per connection over one shared state.
 *
 * @module hydrant/chat
 */

export { chatFactory, type ChatFactory, type ChatFactoryOptions } from './factory.js';
export { currentConnection } from './current-connection.js';
export { withKnownBot, type KnownLinearBot, type KnownTelegramBot } from './known-bot.js';
export { connectionIdOf } from './platforms.js';
export { PrefixedState } from './prefixed-state.js';
export type {
  ChatAdapter,
  ChatLike,
  ChatLock,
  ChatState,
  ChatWebhookOptions,
  UntypedChat,
  UntypedSubscription,
} from './contract.js';
export type { Adapters } from './verification.js';
