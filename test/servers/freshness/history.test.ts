import { describe, expect, test } from 'vitest';
import { violations, type Report, type Use, type Write } from './history.js';

const ms = (n: number): bigint => BigInt(n) * 1_000_000n;
const write = (begun: number, committed: number, version: string | undefined, status: Write['status'] = 'active'): Write => ({
  id: 'a',
  begun: ms(begun),
  committed: ms(committed),
  version,
  status,
});
const WRITES = [
  write(10, 20, '1'),
  write(100, 110, '2'),
  write(200, 210, '2s', 'stopped'),
  write(300, 310, undefined, 'deleted'),
  write(400, 410, '3'),
];
const use = (begun: number, ended: number, seen: string, maxStaleMs?: number): Use => ({
  id: 'a',
  replica: 0,
  begun: ms(begun),
  ended: ms(ended),
  maxStaleMs,
  version: seen.startsWith('CONN') || seen.startsWith('STORE') ? undefined : seen,
  code: seen.startsWith('CONN') || seen.startsWith('STORE') ? seen : undefined,
});
const report = (uses: Use[], change: Partial<Report> = {}): Report => ({
  uses,
  created: 1,
  disposedOnce: 1,
  misused: [],
  longestTurnMs: 5,
  ...change,
});

describe('the check of histories', () => {
  test.each<[string, Use]>([
    ['the version that was there', use(50, 60, '1')],
    ['either of two while the second is being written', use(105, 108, '1')],
    ['either of two while the second is being written (the new one)', use(105, 108, '2')],
    ['what was committed while it was under way', use(90, 120, '2')],
    ['a stop', use(220, 230, 'CONNECTION_STOPPED')],
    ['a delete', use(320, 330, 'CONNECTION_NOT_FOUND')],
    ['nothing before the first write', use(5, 8, 'CONNECTION_NOT_FOUND')],
    ['an old version within the bound', use(150, 155, '1', 50)],
    ['that the store could not be asked', use(50, 60, 'STORE_UNAVAILABLE')],
  ])('allows %s', (_what, seen) => {
    expect(violations(WRITES, [report([seen])])).toEqual([]);
  });

  test.each<[string, Use]>([
    ['an old version after an edit', use(111, 115, '1')],
    ['a version after a stop', use(220, 230, '2')],
    ['a version after a delete', use(320, 330, '2')],
    ['a stop after a delete', use(320, 330, 'CONNECTION_STOPPED')],
    ['nothing after a recreation', use(420, 430, 'CONNECTION_NOT_FOUND')],
    ['the stopped version as if it were active', use(220, 230, '2s')],
    ['a version from the future', use(50, 60, '2')],
    ['a version nobody wrote', use(50, 60, '7')],
    ['an old version beyond the bound', use(180, 185, '1', 50)],
    ['another failure', use(50, 60, 'CONN_OTHER')],
  ])('finds %s', (_what, seen) => {
    expect(violations(WRITES, [report([seen])])).toHaveLength(1);
  });

  test('finds instances that were not disposed of exactly once, or used outside of their life', () => {
    expect(violations(WRITES, [report([], { created: 2 })])).toHaveLength(1);
    expect(violations(WRITES, [report([], { misused: ['x'] })])).toEqual(['x']);
  });
});
