import { Redis } from 'ioredis';
import { RedisStore } from 'hydrant/redis';
import { storeConformance, type StoreUnderTest } from 'hydrant/testing';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { startRedis } from '../support/redis.mjs';
import {
  CLIENTS,
  testPrefix,
  viaIoredis,
  viaIoredisCluster,
  viaNodeRedis,
  viaNodeRedisCluster,
  type TestClient,
} from '../support/redis-clients.js';
import type { TestServer } from '../support/server.mjs';

const CAPABILITIES = {
  getMany: true,
  getVersions: true,
  watch: true,
  invalidRows: true,
  bookkeeping: true,
  touch: true,
  counter: true,
};

function conformance(
  server: () => { url: string },
  connect: (url: string) => TestClient | Promise<TestClient>,
  { keyPrefix = '', interruption = true } = {},
): void {
  let administrator: Redis;
  let connected: TestClient;
  const prefix = testPrefix();
  beforeAll(async () => {
    administrator = new Redis(server().url);
    connected = await connect(server().url);
  });
  afterAll(async () => {
    await administrator.del(...['records', 'versions', 'counter', 'scope'].map((key) => `${keyPrefix}${prefix}${key}`));
    administrator.disconnect();
    await connected[Symbol.asyncDispose]();
  });

  storeConformance(
    { describe, it: test },
    async (): Promise<StoreUnderTest> => {
      await administrator.del(`${keyPrefix}${prefix}records`, `${keyPrefix}${prefix}versions`);
      const store = new RedisStore<{ config: { value: string } }>({
        client: connected.client,
        prefix,
        watch: { backoff: { initialMs: 20, maxMs: 200 } },
      });
      return {
        store,
        write: (id, { status, config }) => store.put({ id, status, config: { value: config } }),
        remove: (id) => store.delete(id),
        configOf: (record) => (record as unknown as { config: { value: string } }).config.value,
        async writeInvalid(id) {
          await administrator.hset(`${keyPrefix}${prefix}versions`, id, '0-invalid');
          await administrator.hset(`${keyPrefix}${prefix}records`, id, '0-invalid {"status":"active","token":"secret');
        },
        // Writing what is there already.
        bookkeep: async (id) => {
          await store.put((await store.get(id)) as never);
        },
        touch: (id) => store.touch(id),
        interrupt: () => administrator.client('KILL', 'TYPE', 'pubsub'),
      };
    },
    { ...CAPABILITIES, interruption },
  );
}

describe.skipIf(inject('redisUrl') === undefined)('RedisStore', () => {
  // Its own: it ends the listening connections of every client.
  let started: TestServer;
  beforeAll(async () => { started = await startRedis({ own: true }); });
  afterAll(() => started.stop());
  const server = (): TestServer => started;
  describe.each(Object.entries(CLIENTS))('on %s', (_name, connect) => conformance(server, connect));
  const keyPrefix = 'app:';
  describe('on ioredis with a keyPrefix', () => conformance(server, (url) => viaIoredis(url, { keyPrefix }), { keyPrefix }));
  describe('on node-redis with a keyPrefix', () => conformance(server, (url) => viaNodeRedis(url, { keyPrefix }), { keyPrefix }));
  describe('on node-redis with RESP 2', () => conformance(server, (url) => viaNodeRedis(url, { RESP: 2 })));

  describe('on a cluster', () => {
    let cluster: TestServer;
    beforeAll(async () => {
      cluster = await startRedis({ own: true, settings: { 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1' } });
      const administrator = new Redis(cluster.url);
      await administrator.cluster('ADDSLOTSRANGE', 0, 16383);
      while (!(await administrator.cluster('INFO')).includes('cluster_state:ok'))
        await new Promise((resolve) => {
          setTimeout(resolve, 20);
        });
      administrator.disconnect();
    });
    afterAll(() => cluster.stop());
    // Its cluster client subscribes again by itself and without a word: what counts is that nothing is missed.
    describe('with ioredis', () => conformance(() => cluster, (url) => viaIoredisCluster(url), { interruption: false }));
    test('with ioredis, a change made while the client re-subscribes by itself is announced, or a gap is', async () => {
      const administrator = new Redis(cluster.url);
      await using connected = viaIoredisCluster(cluster.url);
      const store = new RedisStore<{ n: number }>({
        client: connected.client,
        prefix: testPrefix(),
        watch: { pingIntervalMs: 50, timeoutMs: 2_000, backoff: { initialMs: 20, maxMs: 200 } },
      });
      const heard = { gaps: 0, changed: new Set<string>() };
      await using _subscription = (await store.watch?.({
        gap: () => void (heard.gaps += 1),
        changed: (ids) => ids.forEach((id) => heard.changed.add(id)),
      })) ?? { async [Symbol.asyncDispose]() {} };
      for (let n = 0; n < 20; n += 1) {
        const { gaps } = heard;
        await administrator.client('KILL', 'TYPE', 'pubsub');
        await store.put({ id: `c${n}`, n });
        await expect.poll(() => heard.gaps > gaps || heard.changed.has(`c${n}`), { timeout: 5_000 }).toBe(true);
      }
      expect(heard.gaps).toBeGreaterThan(1);
      administrator.disconnect();
    });
    describe('with node-redis', () => conformance(() => cluster, (url) => viaNodeRedisCluster(url)));
  });
});
