import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { RedisClaims, RedisStore, type RedisClient } from 'hydrant/redis';
import { describe, expect, inject, test } from 'vitest';
import { testPrefix } from '../support/redis-clients.js';

const redisUrl = inject('redisUrl');

describe.skipIf(redisUrl === undefined)('two applications on one Redis', () => {
  test.each<{ what: string; connect: (app: number) => Promise<{ client: RedisClient; end(): void }> }>([
    { what: 'key prefixes of ioredis', connect: async (app) => {
      const client = new Redis(redisUrl!, { keyPrefix: `app${app}:` });
      return { client, end: () => client.disconnect() };
    } },
    { what: 'databases of ioredis', connect: async (app) => {
      const client = new Redis(redisUrl!, { db: app });
      return { client, end: () => client.disconnect() };
    } },
    { what: 'key prefixes of node-redis', connect: async (app) => {
      const client = await createClient({ url: redisUrl!, keyPrefix: `app${app}:` }).connect();
      return { client, end: () => client.destroy() };
    } },
    { what: 'databases of node-redis', connect: async (app) => {
      const client = await createClient({ url: redisUrl!, database: app }).connect();
      return { client, end: () => client.destroy() };
    } },
  ])('with different $what do not get hints of each other', async ({ connect }) => {
    const prefix = testPrefix();
    const apps = await Promise.all([0, 1].map(async (app) => {
      const { client, end } = await connect(app);
      const heard: string[] = [];
      const store = new RedisStore<{ n: number }>({ client, prefix, watch: { pingIntervalMs: 50 } });
      const claims = new RedisClaims({ client, prefix: `${prefix}claims:`, watch: { pingIntervalMs: 50 } });
      const subscriptions = await Promise.all([
        store.watch?.({ gap: () => void heard.push('gap'), changed: (ids) => void heard.push(...ids) }),
        claims.watch?.(({ from }) => void heard.push(`released by ${from}`)),
      ]);
      return { store, claims, heard, async close() {
        for (const subscription of subscriptions) await subscription?.[Symbol.asyncDispose]();
        end();
      } };
    }));
    const [one, other] = apps as [typeof apps[0], typeof apps[0]];
    for (let n = 0; n < 50; n += 1) await one.store.put({ id: `c${n}`, n });
    const request = { replica: 'r', ttlMs: 60_000, ids: ['c1'], limit: 1, freeForMs: 0 };
    await one.claims.release({ replica: 'r', claims: await one.claims.claim(request), leave: false });
    await expect.poll(() => one.heard).toContain('released by r');
    await other.store.put({ id: 'own', n: 1 });
    await expect.poll(() => other.heard).toContain('own');
    const pings = new Map<string, number>();
    const listener = new Redis(redisUrl!);
    listener.on('pmessage', (_pattern, channel: string) => void pings.set(channel, (pings.get(channel) ?? 0) + 1));
    await listener.psubscribe(`${prefix}*:ping:*`);
    await expect.poll(() => [...pings.values()].filter((count) => count > 2)).toHaveLength(4);
    listener.disconnect();
    expect(other.heard.toSorted()).toEqual(['gap', 'own', 'released by ']);
    expect(one.heard.filter((what) => what === 'gap')).toEqual(['gap']);
    expect(one.heard).toHaveLength(2 + 50 + 1);
    await Promise.all(apps.map((app) => app.close()));
  });

  test.each(['ioredis', 'node-redis'] as const)(
    'a message that is no hint ends neither the process nor the subscription, on %s',
    async (kind) => {
      const prefix = testPrefix();
      const io = new Redis(redisUrl!);
      const node = await createClient({ url: redisUrl! }).connect();
      const client = kind === 'ioredis' ? io : node;
      const heard: string[] = [];
      const store = new RedisStore<{ n: number }>({ client, prefix });
      const claims = new RedisClaims({ client, prefix: `${prefix}claims:` });
      const subscriptions = await Promise.all([
        store.watch?.({ gap: () => void heard.push('gap'), changed: (ids) => void heard.push(...ids) }),
        claims.watch?.(({ from }) => void heard.push(`released by ${from}`)),
      ]);
      const channels = (await io.pubsub('CHANNELS', `${prefix.replace(/[{}]/g, '?')}*`)) as string[];
      expect(channels).toHaveLength(4);
      const odd = ['', '{', 'null', '{}', '[]', '[null]', '["x"]', '[1]', '["1",null]', '\u0000', '["99999999999999999999999"]'];
      for (const channel of channels.filter((name) => !name.includes('ping')))
        for (const message of odd) await io.publish(channel, message);
      await store.put({ id: 'c1', n: 1 });
      const request = { replica: 'r', ttlMs: 60_000, ids: ['c1'], limit: 1, freeForMs: 0 };
      await claims.release({ replica: 'r', claims: await claims.claim(request), leave: false });
      await expect.poll(() => heard.includes('c1') && heard.includes('released by r')).toBe(true);
      expect(heard.filter((what) => what === 'gap')).toHaveLength(1 + odd.length);
      for (const subscription of subscriptions) await subscription?.[Symbol.asyncDispose]();
      io.disconnect();
      node.destroy();
    },
  );
});
