import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, inject, test } from 'vitest';
import { RedisClaims } from 'hydrant/redis';
import { claimConformance } from 'hydrant/testing';
import { startRedis } from '../support/redis.mjs';
import { CLIENTS, testPrefix, type TestClient } from '../support/redis-clients.js';
import type { TestServer } from '../support/server.mjs';

describe.runIf(inject('redisUrl') !== undefined)('RedisClaims', () => {
  // A Redis of its own, and nothing on disk: scripts of other tests and a busy disk make it wait, and claims run out by time.
  let server: TestServer;
  let admin: Redis;
  beforeAll(async () => {
    server = await startRedis({ own: true, settings: { appendonly: 'no' } });
    admin = new Redis(server.url);
  });
  afterAll(async () => {
    admin.disconnect();
    await server.stop();
  });
  const names = Object.keys(CLIENTS);
  const eachOnceOnEitherSide = names.map((one, n) => ({ one, other: names[(n + 1) % names.length]! }));
  describe.each(eachOnceOnEitherSide)('on $one and $other', ({ one, other }) => {
    let connected: TestClient[] = [];
    beforeAll(async () => { connected = await Promise.all([one, other].map((name) => CLIENTS[name]!(server.url))); });
    afterAll(() => Promise.all(connected.map((client) => client[Symbol.asyncDispose]())));

    claimConformance({ describe, it: test }, (settings) => {
      const prefix = testPrefix();
      const make = ({ client }: TestClient): RedisClaims => new RedisClaims({ client, prefix, ...settings });
      const [claims, others] = connected.map(make) as [RedisClaims, RedisClaims];
      const keys = (name: string): Promise<string[]> => admin.keys(`${prefix.replace(/[{}]/g, '?')}${name}`);
      return {
        claims, others,
        wait: (ms) => sleep(ms),
        rows: async () => (await keys('claim:*')).length,
        // Setting the clock back is the same as moving every time that was written.
        async setClockBack(ms) {
          for (const key of await keys('claim:*')) {
            for (const field of ['expires', 'offerUntil'])
              if (await admin.hexists(key, field)) await admin.hincrby(key, field, ms);
          }
          for (const name of await admin.zrange(`${prefix}members`, 0, -1)) await admin.zincrby(`${prefix}members`, ms, name);
        },
      };
      // A machine that runs every other test at once may stand still for some hundred milliseconds.
    }, { ttlMs: 1_000, watch: true, forgets: true, clockSetBack: true });
  });
});
