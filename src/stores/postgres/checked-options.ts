import { isDuration, quote, unexpected } from '../../checks.js';
import type { ConnectionError } from '../../errors.js';
import { byteLength, MAX_IDENTIFIER_BYTES } from './quoting.js';

/**
 * Checks a name that comes from options.
 *
 * @throws ConnectionError `INVALID_OPTIONS`
 */
export function checkedName(option: string, value: unknown): string {
  if (typeof value !== 'string' || value === '' || value.includes('\0') || byteLength(value) > MAX_IDENTIFIER_BYTES) {
    throw invalidOption(option, `a name of 1 to ${MAX_IDENTIFIER_BYTES} bytes`, value);
  }
  return value;
}

/** An `INVALID_OPTIONS` error that says what was expected and what came. */
export function invalidOption(option: string, expected: string, got: unknown): ConnectionError<'INVALID_OPTIONS'> {
  return unexpected(`PostgresStore: ${option}`, expected, quote(got));
}

/**
 * Checks how long a migration waits for each lock.
 *
 * @throws ConnectionError `INVALID_OPTIONS`
 */
export function lockTimeout(ms = 5_000): number {
  if (!Number.isInteger(ms) || ms < 0 || ms > 2 ** 31 - 1)
    throw invalidOption('lockTimeoutMs', 'whole milliseconds, 0 for no limit', ms);
  return ms;
}

/**
 * Checks the deadline of a query.
 *
 * @throws ConnectionError `INVALID_OPTIONS`
 */
export function queryTimeout(owner: string, ms: unknown = 10_000): number {
  if (isDuration(ms, 1)) return ms as number;
  throw unexpected(`${owner}: queryTimeoutMs`, `milliseconds from 1 to ${2 ** 31 - 1}`, quote(ms));
}
