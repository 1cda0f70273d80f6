import { describe, inject } from 'vitest';
import { chaosTests, silenceTest } from './chaos-tests.js';

const url = inject('redisUrl');

describe.runIf(url !== undefined)('with Redis', () => {
  chaosTests('ioredis', () => url!);
  silenceTest('ioredis', () => url!);
  silenceTest('node-redis', () => url!);
});
