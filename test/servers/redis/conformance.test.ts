import { Redis } from 'ioredis';
import { RedisStore } from 'hydrant/redis';
import { storeConformance, type StoreUnderTest } from 'hydrant/testing';
import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { startRedis } from '../support/redis.mjs';
import { testPrefix, viaIoredis, viaIoredisCluster, viaNodeRedis, viaNodeRedisCluster, type TestClient } from '../support/redis-clients.js';

const redisUrl = inject('redisUrl');

const CAPABILITIES = { getMany: true, getVersions: true, watch: true, invalidRows: true, bookkeeping: true, touch: true, interruption: true };

function conformance(server: () => { url: string }, connect: (url: string) => TestClient | Promise<TestClient>, keyPrefix = ''): void {
  let administrator: Redis;
  let connected: TestClient;
  const prefix = testPrefix();
  beforeAll(async () => {
    administrator = new Redis(server().url);
    connected = await connect(server().url);
  });
  afterAll(async () => {
    await administrator.del(...['records', 'versions', 'counter'].map((key) => `${keyPrefix}${prefix}${key}`));
    administrator.disconnect();
    await connected[Symbol.asyncDispose]();
  });

  storeConformance({ describe, it }, async (): Promise<StoreUnderTest> => {
    await administrator.del(`${keyPrefix}${prefix}records`, `${keyPrefix}${prefix}versions`);
    const store = new RedisStore<{ config: { value: string } }>({
      client: connected.client, prefix,
      // node-redis on a cluster reconnects without a word: there the ping is what notices.
      watch: { pingIntervalMs: 100, backoff: { initialMs: 20, maxMs: 200 } },
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
      bookkeep: async (id) => { await store.put(await store.get(id) as never); },
      touch: (id) => store.touch(id),
      interrupt: () => administrator.client('KILL', 'TYPE', 'pubsub'),
    };
  }, CAPABILITIES);
}

const server = (): { url: string } => ({ url: redisUrl as string });

describe.skipIf(redisUrl === undefined)('RedisStore', () => {
  describe('on ioredis', () => conformance(server, (url) => viaIoredis(url)));
  describe('on ioredis with a keyPrefix', () => conformance(server, (url) => viaIoredis(url, { keyPrefix: 'app:' }), 'app:'));
  describe('on node-redis', () => conformance(server, (url) => viaNodeRedis(url)));
  describe('on node-redis with RESP 2', () => conformance(server, (url) => viaNodeRedis(url, { RESP: 2 })));

  describe('on a cluster', () => {
    let cluster: Awaited<ReturnType<typeof startRedis>>;
    beforeAll(async () => {
      cluster = await startRedis({ own: true, settings: { 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1' } });
      const administrator = new Redis(cluster.url);
      await administrator.cluster('ADDSLOTSRANGE', 0, 16383);
      while (!(await administrator.cluster('INFO')).includes('cluster_state:ok')) await new Promise((resolve) => { setTimeout(resolve, 20); });
      administrator.disconnect();
    });
    afterAll(() => cluster.stop());
    describe('with ioredis', () => conformance(() => cluster, (url) => viaIoredisCluster(url)));
    describe('with node-redis', () => conformance(() => cluster, (url) => viaNodeRedisCluster(url)));
  });
});
