import { PostgresClaims } from 'hydrant/postgres';
import { RedisClaims } from 'hydrant/redis';
import { describe, expect, test } from 'vitest';

const postgres = { query: async () => ({ rows: [] }) };
const redis = { hmget: async () => [], eval: async () => 1, duplicate: () => ({}) };
const CLAIMS: Record<string, (watch: unknown) => unknown> = {
  PostgresClaims: (watch) => new PostgresClaims({ client: postgres, listenClient: () => ({}), watch } as never),
  RedisClaims: (watch) => new RedisClaims({ client: redis, watch } as never),
};

// Such a time-out ends at once, so each listening connection was given up as soon as it was open.
describe.each(Object.entries(CLAIMS))('%s refuses an invalid duration, as the stores do', (name, claims) => {
  test.each([
    { option: 'watch', watch: 'on' },
    { option: 'watch.pingIntervalMs', watch: { pingIntervalMs: 0 } },
    { option: 'watch.timeoutMs', watch: { timeoutMs: '5s' } },
    { option: 'watch.timeoutMs', watch: { timeoutMs: Number.NaN } },
    { option: 'watch', watch: { pingInterval: 1_000 } },
    { option: 'watch.backoff.maxMs', watch: { backoff: { initialMs: 1 } } },
  ])('$option: $watch', ({ option, watch }) => {
    const message = new RegExp(`^${name}: ${option}: (expected .+, got .+|does not know .+)`);
    expect(() => claims(watch)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS', message: expect.stringMatching(message) as string }),
    );
  });

  test('a valid duration is accepted', () => {
    expect(claims({ pingIntervalMs: 1, timeoutMs: 2 ** 31 - 1 })).toBeDefined();
  });
});
