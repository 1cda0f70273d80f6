import { afterAll, afterEach, beforeAll } from 'vitest';
import { startFakeSlackApi, type FakeSlackApi } from '../../../examples/support/fake-slack-api.mjs';
import { startFakeTelegramApi } from '../../../examples/support/fake-telegram-api.mjs';
import type { Bot } from './bots.js';

type FakeTelegramApi = Awaited<ReturnType<typeof startFakeTelegramApi>>;

/** The servers of Slack and Telegram for the tests of a file. They forget their calls after each test. */
export function fakeVendors() {
  let slack: FakeSlackApi;
  let telegram: FakeTelegramApi;
  beforeAll(async () => { [slack, telegram] = await Promise.all([startFakeSlackApi(), startFakeTelegramApi()]); });
  afterEach(() => { slack.reset(); telegram.reset(); });
  afterAll(async () => { await Promise.all([slack.close(), telegram.close()]); });
  return {
    get slack() { return slack; },
    get telegram() { return telegram; },
    slackBot: (id: string, botUserId: string | null = 'U1'): Bot =>
      ({ id, platform: 'slack', apiUrl: slack.url, ...botUserId !== null && { botUserId } }),
    telegramBot: (id: string): Bot => ({ id, platform: 'telegram', apiUrl: telegram.url }),
  };
}
