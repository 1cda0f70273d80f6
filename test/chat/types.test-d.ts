import { createSlackAdapter } from '@chat-adapter/slack';
import { createRedisState } from '@chat-adapter/state-redis';
import type { Chat } from 'chat';
import { ConnectionRegistry, factoryByPlatform, MemoryStore, type ConnectionRecord, type ConnectionStore } from 'hydrant';
import { chatFactory, currentConnection } from 'hydrant/chat';
import { expressWebhook } from 'hydrant/express';
import { connectionIdOf } from 'hydrant/chat';
import type { createClient } from 'redis';
import { expectTypeOf, test } from 'vitest';

interface Row extends ConnectionRecord {
  readonly platform: 'slack';
  readonly signingSecret: string;
  readonly botToken: string;
  readonly botUserId: string;
}
declare const client: Parameters<typeof createRedisState>[0] extends infer O
  ? O extends { client: infer C }
    ? C
    : never
  : ReturnType<typeof createClient>;
declare const rows: ConnectionStore<Row>;

test('the sketch: the record annotated once, handlers of any kind', () => {
  const factory = chatFactory({
    state: createRedisState({ client }),
    adapters: (record: Row) => ({ slack: createSlackAdapter(record) }),
    setup: (chat, record) => {
      expectTypeOf(record).toEqualTypeOf<Row>();
      chat.onNewMention(async (thread) => { await thread.post('hello'); });
    },
  });
  const registry = new ConnectionRegistry({ store: rows, factory });
  void registry.use('acme', (chat) => chat.openDM('U1'));
});

test("a parameter that names the SDK's class brings its types along", () => {
  const factory = chatFactory({
    state: createRedisState({ client }),
    secrets: async (record: Row) => ({ botToken: record.botToken }),
    adapters: (record: Row, { secrets }) => ({ slack: createSlackAdapter({ ...record, botToken: secrets.botToken }) }),
    setup: (chat: Chat, record) => {
      chat.onNewMention(async (thread, message) => {
        expectTypeOf(message.text).toEqualTypeOf<string>();
        await thread.post(record.botUserId);
      });
    },
  });
  const registry = new ConnectionRegistry({ store: rows, factory });
  void registry.use('acme', async (chat) => { await chat.channel('slack:C1').post('hi'); });
  expressWebhook(registry, { connectionId: connectionIdOf });
  expectTypeOf(currentConnection<Row>()).toEqualTypeOf<Row>();
});

test('it is a factory like any other: inside factoryByPlatform, and only over rows that it takes', () => {
  const slack = chatFactory({
    state: createRedisState({ client }),
    adapters: (record: Row) => ({ slack: createSlackAdapter(record) }),
  });
  void new ConnectionRegistry({ store: rows, factory: factoryByPlatform('platform', { slack }) });
  // @ts-expect-error a store whose rows lack what the adapters need
  void new ConnectionRegistry({ store: new MemoryStore([{ id: 'a' }]), factory: slack });
});
