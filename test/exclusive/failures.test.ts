import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ConnectionError } from 'hydrant';
import { ClaimNotes, type FailedStarts } from '../../src/exclusive/claim-notes.js';
import { StartFailures } from '../../src/exclusive/failures.js';

const BACKOFF = { initialMs: 1_000, maxMs: 10_000 };

beforeEach(() => { vi.spyOn(Math, 'random').mockReturnValue(0.5); });
afterEach(() => { vi.restoreAllMocks(); });

function failuresAfter(failed?: FailedStarts, backoff = BACKOFF): { notes: ClaimNotes; failures: StartFailures } {
  const notes = new ClaimNotes(JSON.stringify({ failed }));
  return { notes, failures: new StartFailures(notes, backoff) };
}

describe('failed starts', () => {
  test('wait a share of a delay that doubles up to its cap', () => {
    const { failures } = failuresAfter();
    const delays = [1, 2, 3, 4, 5, 6].map(() => failures.note(new Error('x'), '1').delayMs);
    expect(delays).toEqual([500, 1_000, 2_000, 4_000, 5_000, 5_000]);
    expect(failures.note(new Error('x'), '2'), 'another version begins anew').toEqual({ counted: true, delayMs: 500 });
  });

  test('wait at least as long as the error says', () => {
    const { notes, failures } = failuresAfter();
    const failed = new ConnectionError('HYDRATION_FAILED', 'x', { retryAfterMs: 7_000 });
    expect(failures.note(failed, '1')).toEqual({ counted: true, delayMs: 7_000 });
    const postponed = new ConnectionError('BACKING_OFF', 'x', { retryAfterMs: 8_000 });
    expect(failures.note(postponed, '1')).toEqual({ counted: false, delayMs: 8_000 });
    expect(notes.failed).toEqual({ version: '1', count: 1 });
  });

  test.each([
    'BACKING_OFF', 'OVERLOADED', 'STORE_UNAVAILABLE', 'CONNECTION_NOT_FOUND', 'CONNECTION_STOPPED', 'REGISTRY_CLOSED',
  ] as const)('do not count %s, but wait longer each time', (code) => {
    const { notes, failures } = failuresAfter();
    const verdicts = [1, 2, 3].map(() => failures.note(new ConnectionError(code, 'x'), '1'));
    expect(verdicts).toEqual([500, 1_000, 2_000].map((delayMs) => ({ counted: false, delayMs })));
    expect(notes.failed).toBeUndefined();
    failures.note(new Error('counts'), '1');
    expect(failures.note(new ConnectionError(code, 'x'), '1').delayMs, 'a counted failure ends the series').toBe(500);
  });

  test('count when the version is not known, too', () => {
    const { notes, failures } = failuresAfter();
    for (const count of [1, 2]) {
      failures.note(new Error('no such host'), undefined);
      expect(notes.failed).toEqual({ version: undefined, count });
    }
  });

  test('are inherited for the version they concern, or if the version is not known', () => {
    const inherited = (failed: FailedStarts | undefined, listed: string | undefined): number =>
      failuresAfter(failed).failures.inheritedDelayMs(listed);
    expect(inherited({ version: '1', count: 3 }, '1')).toBe(2_000);
    expect(inherited({ version: '1', count: 3 }, '2')).toBe(0);
    expect(inherited({ version: undefined, count: 3 }, '2')).toBe(2_000);
    expect(inherited({ version: '1', count: 3 }, undefined)).toBe(2_000);
    expect(inherited(undefined, '1')).toBe(0);
  });
});

describe('the time served', () => {
  test('forgives one failure every two minutes, and counts a part of two minutes the next time', () => {
    const { notes, failures } = failuresAfter({ version: '1', count: 4 });
    failures.servingSince = 1_000;
    failures.forgive(120_999);
    expect(notes.failed).toEqual({ version: '1', count: 4 });
    failures.forgive(301_000);
    expect(notes.failed).toEqual({ version: '1', count: 2 });
    failures.forgive(360_999);
    expect(notes.failed).toEqual({ version: '1', count: 2 });
    failures.forgive(361_000);
    expect(notes.failed).toEqual({ version: '1', count: 1 });
    failures.forgive(961_000);
    expect(notes.failed).toBeUndefined();
  });

  test('forgives nothing while it does not serve', () => {
    const { notes, failures } = failuresAfter({ version: '1', count: 4 });
    failures.servingSince = 0;
    failures.forgive(120_000);
    failures.servingSince = undefined;
    failures.forgive(600_000);
    failures.servingSince = 600_000;
    failures.forgive(700_000);
    expect(notes.failed).toEqual({ version: '1', count: 3 });
  });

  test('forgives no faster and no slower after an outage of days', () => {
    const delaysUpToTheLongestMs = [1_000, 2_000, 4_000, 8_000, 10_000];
    const { notes, failures } = failuresAfter({ version: '1', count: 5_000 });
    failures.servingSince = 0;
    failures.forgive(120_000);
    expect(notes.failed?.count).toBe(delaysUpToTheLongestMs.length - 1);
  });

  test('leaves the notes unchanged if nothing has failed', () => {
    const { notes, failures } = failuresAfter();
    failures.servingSince = 0;
    failures.forgive(3_600_000);
    expect(notes.unsaved).toBeUndefined();
  });
});
