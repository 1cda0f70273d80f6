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
  test.each<{ what: string; seen: Use }>([
    { what: 'the version that was there', seen: use(50, 60, '1') },
    { what: 'either of two while the second is being written', seen: use(105, 108, '1') },
    { what: 'either of two while the second is being written (the new one)', seen: use(105, 108, '2') },
    { what: 'what was committed while it was under way', seen: use(90, 120, '2') },
    { what: 'a stop', seen: use(220, 230, 'CONNECTION_STOPPED') },
    { what: 'a delete', seen: use(320, 330, 'CONNECTION_NOT_FOUND') },
    { what: 'nothing before the first write', seen: use(5, 8, 'CONNECTION_NOT_FOUND') },
    { what: 'an old version within the bound', seen: use(150, 155, '1', 50) },
    { what: 'that the store could not be asked', seen: use(50, 60, 'STORE_UNAVAILABLE') },
  ])('allows $what', ({ seen }) => {
    expect(violations(WRITES, [report([seen])])).toEqual([]);
  });

  test.each<{ what: string; seen: Use }>([
    { what: 'an old version after an edit', seen: use(111, 115, '1') },
    { what: 'a version after a stop', seen: use(220, 230, '2') },
    { what: 'a version after a delete', seen: use(320, 330, '2') },
    { what: 'a stop after a delete', seen: use(320, 330, 'CONNECTION_STOPPED') },
    { what: 'nothing after a recreation', seen: use(420, 430, 'CONNECTION_NOT_FOUND') },
    { what: 'the stopped version as if it were active', seen: use(220, 230, '2s') },
    { what: 'a version from the future', seen: use(50, 60, '2') },
    { what: 'a version nobody wrote', seen: use(50, 60, '7') },
    { what: 'an old version beyond the bound', seen: use(180, 185, '1', 50) },
    { what: 'another failure', seen: use(50, 60, 'CONN_OTHER') },
  ])('finds $what', ({ seen }) => {
    expect(violations(WRITES, [report([seen])])).toHaveLength(1);
  });

  test('finds instances that were not disposed of exactly once, or used outside of their life', () => {
    expect(violations(WRITES, [report([], { created: 2 })])).toHaveLength(1);
    expect(violations(WRITES, [report([], { misused: ['x'] })])).toEqual(['x']);
  });
});
