import { expectTypeOf, test } from 'vitest';
import {
  ConnectionRegistry,
  factoryByPlatform,
  type ConnectionRecord,
  type ConnectionStore,
  type InstanceFactory,
  type RecordOf,
} from 'hydrant';

interface SlackFields extends ConnectionRecord { readonly botToken: string }
interface TelegramRow extends ConnectionRecord { readonly platform: 'telegram'; readonly token: string }

declare const slack: InstanceFactory<SlackFields, { slack: true }>;
declare const telegram: InstanceFactory<TelegramRow, { telegram: true }>;

test('a factory that was written without the discriminant in its rows may be listed', () => {
  const factory = factoryByPlatform('platform', { slack, telegram });
  expectTypeOf<RecordOf<typeof factory>>().toEqualTypeOf<(SlackFields & { readonly platform: 'slack' }) | TelegramRow>();

  const store = {} as ConnectionStore<(SlackFields & { readonly platform: 'slack' }) | TelegramRow>;
  expectTypeOf(new ConnectionRegistry({ store, factory }).invalidate).returns.resolves.toBeVoid();

  const withoutToken = {} as ConnectionStore<(ConnectionRecord & { readonly platform: 'slack' }) | TelegramRow>;
  // @ts-expect-error the store's Slack rows have no botToken
  expectTypeOf(new ConnectionRegistry({ store: withoutToken, factory })).not.toBeAny();
});

test('one whose rows name another value is still refused', () => {
  // @ts-expect-error the Telegram factory under the Slack key
  factoryByPlatform('platform', { slack: telegram, telegram });
  // @ts-expect-error wrong key
  factoryByPlatform('platform', { telegramm: telegram });
});
