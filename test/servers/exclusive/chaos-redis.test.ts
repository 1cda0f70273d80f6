import { afterAll, beforeAll, describe, inject } from 'vitest';
import { startRedis } from '../support/redis.mjs';
import type { TestServer } from '../support/server.mjs';
import { chaosTests, silenceTest } from './chaos-tests.js';

describe.runIf(inject('redisUrl') !== undefined)('with Redis', () => {
  // Its own: it ends the connections of every client.
  let server: TestServer;
  beforeAll(async () => { server = await startRedis({ own: true }); });
  afterAll(() => server.stop());
  chaosTests('ioredis', () => server.url);
  silenceTest('ioredis', () => server.url);
  silenceTest('node-redis', () => server.url);
});
