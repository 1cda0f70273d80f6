import { withKnownBot, type KnownLinearBot } from 'hydrant/chat';
import { expect, test } from 'vitest';

const bot: KnownLinearBot = { id: '7', username: 'bot_7', organizationId: 'O1' };
const common = { name: 'fake', handleWebhook: async () => new Response() };
const asked = (method: string) => async () => `the vendor answered ${method}`;

test("a Telegram adapter does not ask, although the row of the bot has an organization's id", async () => {
  const telegram = withKnownBot({ ...common, telegramFetch: asked('Telegram') as (method: string) => Promise<unknown> }, bot);
  expect(await telegram.telegramFetch('getMe')).toEqual({ id: 7, is_bot: true, first_name: 'bot_7', username: 'bot_7' });
  expect(await telegram.telegramFetch('sendMessage')).toBe('the vendor answered Telegram');
});

test('a Linear adapter does not ask', async () => {
  const linear = withKnownBot({ ...common, fetchClientIdentity: asked('Linear') as () => Promise<unknown> }, bot);
  expect(await linear.fetchClientIdentity()).toEqual({ botUserId: '7', displayName: 'bot_7', organizationId: 'O1' });
});

test('an adapter that asks in another way is returned unchanged', () => {
  expect(withKnownBot({ ...common }, bot)).toEqual(common);
});
