import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, inject, test } from 'vitest';
import { RedisClaims } from 'hydrant/redis';
import { claimConformance } from 'hydrant/testing';
import { CLIENTS, testPrefix, type TestClient } from '../support/redis-clients.js';

const url = inject('redisUrl');

describe.runIf(url !== undefined)('RedisClaims', () => {
  const names = Object.keys(CLIENTS);
  // Each client is one side once and the other side once.
  describe.each(names.map((name, n) => [name, names[(n + 1) % names.length]!]))('on %s and %s', (one, other) => {
    let connected: TestClient[] = [];
    beforeAll(async () => { connected = await Promise.all([one, other].map((name) => CLIENTS[name]!(url!))); });
    afterAll(() => Promise.all(connected.map((client) => client[Symbol.asyncDispose]())));

    claimConformance({ describe, it: test }, () => {
      const prefix = testPrefix();
      const [claims, others] = connected.map(({ client }) => new RedisClaims({ client, prefix })) as [RedisClaims, RedisClaims];
      return { claims, others, wait: (ms) => sleep(ms) };
    }, { ttlMs: 400, watch: true });
  });
});
