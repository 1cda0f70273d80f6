import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, inject, test } from 'vitest';
import { RedisClaims } from 'hydrant/redis';
import { claimConformance } from 'hydrant/testing';

const url = inject('redisUrl');

describe.runIf(url !== undefined)('RedisClaims', () => {
  let io: Redis;
  let node: ReturnType<typeof createClient>;
  let tests = 0;

  beforeAll(async () => {
    io = new Redis(url!);
    node = createClient({ url: url! });
    await node.connect();
  });

  afterAll(async () => {
    io.disconnect();
    node.destroy();
  });

  claimConformance({ describe, it: test }, () => {
    tests += 1;
    const prefix = `{test${tests}}:`;
    return {
      claims: new RedisClaims({ client: io, prefix }),
      others: new RedisClaims({ client: node, prefix }),
      wait: (ms) => sleep(ms),
    };
  }, { ttlMs: 400, watch: true });
});
