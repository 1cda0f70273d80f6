import { describe, inject } from 'vitest';
import { chaosTests } from './chaos-tests.js';

const url = inject('redisUrl');

describe.runIf(url !== undefined)('with Redis', () => {
  chaosTests('redis', () => url!);
});
