import { expect, test } from 'vitest';
import { fakeAdapter, fakeBot } from './support/fakes.js';

/** The SDK only logs that a platform refused the token. The bot would then answer 200 to messages that it ignores. */
test.each<{ name: string; own: object; adapter: string; starts: boolean }>([
  { name: 'Slack, which said who it is', adapter: 'slack', own: { botUserId: 'U1' }, starts: true },
  { name: 'Slack, which refused its token', adapter: 'slack', own: {}, starts: false },
  { name: 'Telegram, which said who it is', adapter: 'telegram', own: { botUserId: '7' }, starts: true },
  { name: 'Telegram, which refused its token', adapter: 'telegram', own: {}, starts: false },
  {
    name: 'Linear, which said who it is', adapter: 'linear',
    own: { botUserId: '7', isMultiTenantMode: () => false }, starts: true,
  },
  {
    name: 'Linear, by an adapter without a mode for many tenants', adapter: 'linear', own: { botUserId: '7' }, starts: true,
  },
  {
    name: 'Linear, whose adapter throws because it does not know', adapter: 'linear',
    own: { isMultiTenantMode: () => false, get botUserId() { throw new Error('no bot user ID'); } }, starts: false,
  },
  {
    name: 'Linear, without an identity', adapter: 'linear', own: { isMultiTenantMode: () => false }, starts: false,
  },
  {
    name: 'Linear in the mode for many tenants, which has no identity of its own', adapter: 'linear',
    own: { isMultiTenantMode: () => true }, starts: true,
  },
  { name: 'GitHub, which is not asked', adapter: 'github', own: {}, starts: true },
  { name: "the application's own platform", adapter: 'own', own: {}, starts: true },
])('a bot on $name: starts is $starts', async ({ adapter, own, starts }) => {
  const registry = fakeBot(() => [Object.defineProperties(fakeAdapter(adapter), Object.getOwnPropertyDescriptors(own))]);
  registry.on('hydrationFailed', () => {});
  const outcome = await registry.use('c', () => 'served').catch((error: unknown) => String((error as Error).cause));
  await registry.close();
  expect(outcome).toEqual(starts ? 'served' : expect.stringContaining(`${adapter} did not identify the bot of connection 'c'`));
});
