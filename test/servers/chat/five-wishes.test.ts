import { createRedisState } from '@chat-adapter/state-redis';
import type { Chat } from 'chat';
import { ConnectionRegistry } from 'hydrant';
import { chatFactory, currentConnection } from 'hydrant/chat';
import { PostgresStore } from 'hydrant/postgres';
import type pg from 'pg';
import { createClient } from 'redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { startFakeSlackApi, type FakeSlackApi } from '../../../examples/support/fake-slack-api.mjs';
import { startFakeTelegramApi } from '../../../examples/support/fake-telegram-api.mjs';
import {
  adaptersOf,
  deliver,
  fromSlack,
  fromTelegram,
  secretOf,
  slashCommand,
  type Bot,
  type BotRecord,
} from '../../chat/support/bots.js';
import { createDatabase, openPool, type TestDatabase } from '../support/databases.js';
import { testPrefix } from '../support/redis-clients.js';

/*
 * What vercel/chat issue 563 asks of a runtime for many customers' bots, one test per wish: the real SDK, real
 * signatures, rows in a real PostgreSQL, state in a real Redis.
 */
const redisUrl = inject('redisUrl');

describe.skipIf(redisUrl === undefined)('the five wishes', () => {
  const keyPrefix = testPrefix();
  let slackApi: FakeSlackApi;
  let telegramApi: Awaited<ReturnType<typeof startFakeTelegramApi>>;
  let database: TestDatabase;
  let pool: pg.Pool;
  let client: Awaited<ReturnType<typeof connect>>;
  const connect = async () => createClient({ url: redisUrl as string }).on('error', () => {}).connect();

  beforeAll(async () => {
    [slackApi, telegramApi, database, client] = await Promise.all([
      startFakeSlackApi(),
      startFakeTelegramApi(),
      createDatabase(),
      connect(),
    ]);
    pool = openPool(database.url);
    await new PostgresStore({ client: pool }).migrate();
  });
  afterAll(async () => {
    client.destroy();
    await pool.end();
    await Promise.all([database[Symbol.asyncDispose](), slackApi.close(), telegramApi.close()]);
  });

  /** A replica: its own registry and state adapter, over the shared servers. */
  function replica(maxInstances = 100) {
    const heard: string[] = [];
    const created: string[] = [];
    const store = new PostgresStore<Bot>({ client: pool });
    const factory = chatFactory({
      state: createRedisState({ client: client as never, keyPrefix }),
      adapters: (record: BotRecord) => adaptersOf(record),
      setup(chat: Chat, record) {
        created.push(record.id);
        chat.onDirectMessage(async (thread, message) => {
          heard.push(`${currentConnection().id}${await thread.isSubscribed() ? ' again' : ''}: ${message.text}`);
          await thread.subscribe();
        });
        chat.onSlashCommand('/ping', async (event) => { await event.channel.post(`pong of ${currentConnection().id}`); });
      },
      config: () => ({ logger: 'silent' }),
    });
    const registry = new ConnectionRegistry<BotRecord, Chat>({ store, factory, maxInstances });
    replicas.push(registry);
    return { registry, store, heard, created };
  }
  const replicas: ConnectionRegistry<BotRecord, Chat>[] = [];
  let serial = 0;
  let id = '';
  beforeEach(() => { serial += 1; id = `bot${serial}`; });
  afterEach(async () => {
    for (const registry of replicas.splice(0)) await registry.close();
    slackApi.reset();
    telegramApi.calls.length = 0;
  });
  const slackBot = (name: string): Bot => ({ id: name, platform: 'slack', apiUrl: slackApi.url, botUserId: 'U1' });
  const telegramBot = (name: string): Bot => ({ id: name, platform: 'telegram', apiUrl: telegramApi.url });

  test('1. a connection is resolved for each webhook: an edit and a stop count at once, on every replica', async () => {
    const [one, other] = [replica(), replica()];
    await one.store.put(slackBot(id));
    const statuses: number[] = [];
    const ping = async ({ registry }: typeof one): Promise<void> => {
      statuses.push((await deliver({ registry }, id, slashCommand(secretOf(id)))).status);
    };
    await ping(one);
    await ping(other);
    await one.store.put({ ...slackBot(id), botUserId: 'U2' } as Bot);
    await ping(other);
    const edited = other.created.length;
    await one.store.put({ ...slackBot(id), status: 'stopped' });
    await ping(other);
    expect({ statuses, edited }).toEqual({ statuses: [200, 200, 200, 404], edited: 2 });
  });

  test('2. an instance is created lazily: one for any number of deliveries at once, none for a forgery', async () => {
    const { registry, store, created } = replica();
    await store.put(slackBot(id));
    const forged = await deliver({ registry }, id, slashCommand('wrong'));
    const challenge = await deliver(
      { registry },
      id,
      fromSlack({ secret: secretOf(id), body: JSON.stringify({ type: 'url_verification', challenge: 'c' }) }),
    );
    const before = created.length;
    const served = await Promise.all(Array.from({ length: 20 }, () => deliver({ registry }, id, slashCommand(secretOf(id)))));
    expect({
      forged: forged.status,
      challenge: challenge.status,
      before,
      served: new Set(served.map(({ status }) => status)),
      created,
    }).toEqual({ forged: 401, challenge: 200, before: 0, served: new Set([200]), created: [id] });
  });

  test('3. state is prefixed: two bots in one chat share nothing, and one bot is the same on two replicas', async () => {
    const [one, other] = [replica(), replica()];
    const [a, b] = [`${id}a`, `${id}b`];
    const before = await client.keys(`${keyPrefix}*`);
    await one.store.put(telegramBot(a));
    await one.store.put(telegramBot(b));
    const send = ({ registry }: typeof one, bot: string, text: string, update: number): Promise<Response> =>
      deliver({ registry }, bot, fromTelegram(secretOf(bot), text, update));
    await send(one, a, 'first', 1);
    // The same update id for another bot is another update; for the same bot at another replica it is a repetition.
    await send(one, b, 'first', 1);
    await send(other, a, 'first', 1);
    await send(other, a, 'second', 2);
    expect({ one: one.heard, other: other.heard }).toEqual({
      one: [`${a}: first`, `${b}: first`],
      other: [`${a} again: second`],
    });
    const keys = (await client.keys(`${keyPrefix}*`)).filter((key) => !before.includes(key));
    expect(keys.filter((key) => !key.endsWith(':subscriptions') && !key.includes(`:${a}:`) && !key.includes(`:${b}:`))).toEqual(
      [],
    );
  });

  test('4. handlers know their connection, even when many run at once', async () => {
    const { registry, store } = replica();
    const ids = Array.from({ length: 10 }, (_, n) => `${id}x${n}`);
    for (const bot of ids) await store.put(slackBot(bot));
    await Promise.all(ids.flatMap((bot) => [1, 2].map(() => deliver({ registry }, bot, slashCommand(secretOf(bot))))));
    const answered = slackApi.messages.map(({ token, text }) => `${token} ${text}`).toSorted();
    expect(answered).toEqual(ids.flatMap((bot) => [1, 2].map(() => `xoxb-${bot} pong of ${bot}`)).toSorted());
  });

  test('5. the least recently used are evicted and ended, while the others go on and the state is kept', async () => {
    const { registry, store, heard, created } = replica(2);
    const ids = ['a', 'b', 'c'].map((name) => `${id}${name}`);
    for (const bot of ids) await store.put(telegramBot(bot));
    for (const [n, bot] of ids.entries()) await deliver({ registry }, bot, fromTelegram(secretOf(bot), 'hi', 10 + n));
    const live = registry.snapshot().connections.map((connection) => connection.id).toSorted();
    const [first = ''] = ids;
    await deliver({ registry }, first, fromTelegram(secretOf(first), 'back', 20));
    expect({ live, created, heard }).toEqual({
      live: ids.slice(1), created: [...ids, first], heard: [...ids.map((bot) => `${bot}: hi`), `${first} again: back`],
    });
  });
});
