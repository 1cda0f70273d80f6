import { setTimeout as delay } from 'node:timers/promises';
import { createIoRedisState } from '@chat-adapter/state-ioredis';
import { createRedisState } from '@chat-adapter/state-redis';
import type { Chat } from 'chat';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { chatFactory, type ChatState } from 'hydrant/chat';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { describe, expect, inject, test } from 'vitest';
import { startFakeSlackApi } from '../../../examples/support/fake-slack-api.mjs';
import { startFakeTelegramApi } from '../../../examples/support/fake-telegram-api.mjs';
import {
  adaptersOf,
  deliver,
  fromSlack,
  fromTelegram,
  secretOf,
  silent,
  type Bot,
  type BotRecord,
} from '../../chat/support/bots.js';
import { collectGarbage } from '../../support/garbage.js';
import { testPrefix } from '../support/redis-clients.js';

const CONNECTIONS = 200;
const PLACES = 10;
const DELIVERIES = 10_000;
/** Deliveries sent at a time. */
const BURST = 25;
/** A leak of 200 bytes per delivery would be as much. */
const HEAP_SLACK_MB = 1;

const redisUrl = inject('redisUrl');

interface Emitter { eventNames(): (string | symbol)[]; listenerCount(event: string | symbol): number }
interface Client {
  readonly emitter: Emitter;
  readonly state: ChatState;
  readonly isOpen: () => boolean;
  readonly end: () => void;
}

const CLIENTS: Record<string, () => Promise<Client>> = {
  async 'node-redis'() {
    const client = createClient({ url: redisUrl as string });
    client.on('error', () => {});
    await client.connect();
    return {
      emitter: client,
      state: createRedisState({ client: client as never, keyPrefix: testPrefix(), logger: silent }),
      isOpen: () => client.isOpen,
      end: () => client.destroy(),
    };
  },
  async 'ioredis'() {
    const client = new Redis(redisUrl as string);
    client.on('error', () => {});
    return {
      emitter: client,
      state: createIoRedisState({ client, keyPrefix: testPrefix(), logger: silent }),
      isOpen: () => client.status === 'ready',
      end: () => client.disconnect(),
    };
  },
};

describe.skipIf(redisUrl === undefined)(
  `${CONNECTIONS} connections through ${PLACES} places and ${DELIVERIES} deliveries`,
  () => {
    test.each(Object.entries(CLIENTS))(
      'leave listeners, timers, sockets and heap level with %s',
      async (name, open) => {
        const [slackApi, telegramApi] = await Promise.all([startFakeSlackApi(), startFakeTelegramApi()]);
        const { emitter, state, isOpen, end } = await open();
        const rows = Array.from({ length: CONNECTIONS }, (_, n): Bot =>
          n % 2 === 0
            ? { id: `c${n}`, platform: 'slack', apiUrl: slackApi.url, botUserId: 'U1' }
            : { id: `c${n}`, platform: 'telegram', apiUrl: telegramApi.url },
        );
        let handled = 0;
        const factory = chatFactory({
          state,
          adapters: (record: BotRecord) => adaptersOf(record),
          setup: (chat: Chat) => {
            chat.onDirectMessage(async () => {
              handled += 1;
            });
          },
          config: () => ({ logger: 'silent' }),
        });
        const registry = new ConnectionRegistry<BotRecord, Chat>({ store: new MemoryStore(rows), factory, maxInstances: PLACES });

        let serial = 0;
        async function round(deliveries: number, burst: number): Promise<void> {
          for (let sent = 0; sent < deliveries; sent += burst) {
            // A burst goes to one connection. Connections compete for places, and some deliveries find theirs live.
            const { id, platform } = rows[((sent / burst) * 7) % CONNECTIONS] as Bot;
            await Promise.all(
              Array.from({ length: burst }, () => {
                serial += 1;
                const event = {
                  type: 'message',
                  channel_type: 'im',
                  channel: `D${serial}`,
                  user: 'U2',
                  text: 'hi',
                  ts: `1.${serial}`,
                };
                const body = JSON.stringify({ type: 'event_callback', team_id: 'T1', event_id: `E${serial}`, event });
                return deliver(
                  { registry },
                  id,
                  platform === 'slack'
                    ? fromSlack({ secret: secretOf(id), body })
                    : fromTelegram(secretOf(id), 'hi', serial, serial),
                );
              }),
            );
          }
        }
        const forgetRecordsOfTheServers = (): void => {
          telegramApi.reset();
          slackApi.reset();
        };
        async function levels() {
          forgetRecordsOfTheServers();
          await delay(50);
          for (let n = 0; n < 3; n += 1) {
            collectGarbage();
            await delay(5);
          }
          const vendors = await slackApi.connections() + await telegramApi.connections();
          const resources = process.getActiveResourcesInfo();
          return {
            vendors,
            ownSockets: resources.filter((kind) => /TCP/.test(kind)).length - vendors,
            listeners: emitter.eventNames().reduce((sum, event) => sum + emitter.listenerCount(event), 0),
            timers: resources.filter((kind) => kind === 'Timeout').length,
            heapMb: process.memoryUsage().heapUsed / 2 ** 20,
          };
        }

        const makeTheVerifierOfEachConnection = (): Promise<void> => round(2 * CONNECTIONS, 2);
        const fillCachesOfTheSdkAndItsClients = (): Promise<void> => round(DELIVERIES / 2, BURST);
        await makeTheVerifierOfEachConnection();
        handled = 0;
        await fillCachesOfTheSdkAndItsClients();
        const before = await levels();
        await round(DELIVERIES / 2, BURST);
        const after = await levels();
        process.stdout.write(`${name}: ${JSON.stringify({ before, after, handled, live: registry.snapshot().live })}\n`);
        expect({ handled, listeners: after.listeners }).toEqual({ handled: DELIVERIES, listeners: before.listeners });
        expect(after.timers).toBeLessThanOrEqual(before.timers + 2);
        // The SDK keeps connections to Slack alive, at most one for each delivery of a burst, however many instances
        // there were. The other sockets are the Redis client's and the two servers'.
        expect(after.vendors).toBeLessThanOrEqual(BURST);
        expect({ ownSockets: after.ownSockets }).toEqual({ ownSockets: before.ownSockets });
        expect(after.heapMb - before.heapMb).toBeLessThan(HEAP_SLACK_MB);
        await registry.close();
        expect({ open: isOpen(), live: registry.snapshot().live }).toEqual({ open: true, live: 0 });
        end();
        await Promise.all([slackApi.close(), telegramApi.close()]);
      },
      600_000,
    );
  },
);
