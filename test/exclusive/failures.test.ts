import { describe, expect, test } from 'vitest';
import { ConnectionError } from 'hydrant';
import { StartFailures } from '../../src/exclusive/failures.js';

const BACKOFF = { initialMs: 1_000, maxMs: 10_000 };
const half = (): number => 0.5;

describe('failed starts', () => {
  test('wait a share of a delay that doubles up to its cap', () => {
    const failures = new StartFailures(undefined, BACKOFF, half);
    const delays = [1, 2, 3, 4, 5, 6].map(() => failures.note(new Error('x'), '1').delayMs);
    expect(delays).toEqual([500, 1_000, 2_000, 4_000, 5_000, 5_000]);
  });

  test('wait at least as long as the error says', () => {
    const failures = new StartFailures(undefined, BACKOFF, half);
    const failed = new ConnectionError('HYDRATION_FAILED', 'x', { retryAfterMs: 7_000 });
    expect(failures.note(failed, '1')).toEqual({ counted: true, delayMs: 7_000 });
    const postponed = new ConnectionError('BACKING_OFF', 'x', { retryAfterMs: 8_000 });
    expect(failures.note(postponed, '1')).toEqual({ counted: false, delayMs: 8_000 });
    expect(failures.failed).toEqual({ version: '1', count: 1 });
  });

  test.each(['BACKING_OFF', 'OVERLOADED', 'STORE_UNAVAILABLE', 'CONNECTION_NOT_FOUND', 'CONNECTION_STOPPED', 'REGISTRY_CLOSED'] as const)('do not count %s, and wait longer each time all the same', (code) => {
    const failures = new StartFailures(undefined, BACKOFF, half);
    const verdicts = [1, 2, 3].map(() => failures.note(new ConnectionError(code, 'x'), '1'));
    expect(verdicts).toEqual([500, 1_000, 2_000].map((delayMs) => ({ counted: false, delayMs })));
    expect(failures.failed).toBeUndefined();
  });

  test('are counted where the version is not known as well', () => {
    const failures = new StartFailures(undefined, BACKOFF, half);
    for (const count of [1, 2]) {
      failures.note(new Error('no such host'), undefined);
      expect(failures.failed).toEqual({ version: undefined, count });
    }
  });

  test('are inherited for the version they concern, or where the version is not known', () => {
    const inherited = (version: string | undefined, listed: string | undefined): number =>
      new StartFailures({ version, count: 3 }, BACKOFF, half).inheritedDelayMs(listed);
    expect(inherited('1', '1')).toBe(2_000);
    expect(inherited('1', '2')).toBe(0);
    expect(inherited(undefined, '2')).toBe(2_000);
    expect(inherited('1', undefined)).toBe(2_000);
    expect(new StartFailures(undefined, BACKOFF, half).inheritedDelayMs('1')).toBe(0);
  });
});
