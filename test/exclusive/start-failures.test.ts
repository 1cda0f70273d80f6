import { describe, expect, test } from 'vitest';
import { ConnectionError } from '../../src/errors.js';
import { StartFailures } from '../../src/exclusive/failures.js';
import { formatNotes, parseNotes } from '../../src/exclusive/notes.js';

describe('failed starts', () => {
  const backoff = { initialMs: 100, maxMs: 1_000 };
  test('double up to their cap, whichever is longer: that or what the failure asks for', () => {
    const failures = new StartFailures(undefined, backoff, () => 1);
    expect([1, 2, 3, 4, 5, 6].map(() => failures.note(new Error('no'), '1').delayMs)).toEqual([100, 200, 400, 800, 1_000, 1_000]);
    expect(failures.note(new ConnectionError('HYDRATION_FAILED', 'no', { retryAfterMs: 5_000 }), '1')).toEqual({ counted: true, delayMs: 5_000 });
    expect(failures.failed).toEqual({ version: '1', count: 7 });
    expect(failures.note(new Error('no'), '2')).toEqual({ counted: true, delayMs: 100 });
  });

  test.each(['BACKING_OFF', 'OVERLOADED', 'STORE_UNAVAILABLE', 'CONNECTION_NOT_FOUND', 'CONNECTION_STOPPED', 'REGISTRY_CLOSED'] as const)('%s is no failed start, but makes it wait longer and longer', (code) => {
    const failures = new StartFailures(undefined, backoff, () => 1);
    expect([1, 2].map(() => failures.note(new ConnectionError(code, 'no'), '1'))).toEqual([{ counted: false, delayMs: 100 }, { counted: false, delayMs: 200 }]);
    expect(failures.note(new ConnectionError(code, 'no', { retryAfterMs: 900 }), '1').delayMs).toBe(900);
    expect(failures.failed).toBeUndefined();
    failures.note(new Error('counts'), '1');
    expect(failures.note(new ConnectionError(code, 'no'), '1').delayMs).toBe(100);
  });

  test('of another are inherited for the version they were of, or where that is not known', () => {
    const delay = (failed: { version: string | undefined; count: number } | undefined, listed: string | undefined): number => new StartFailures(failed, backoff, () => 1).inheritedDelayMs(listed);
    expect([delay(undefined, '1'), delay({ version: '1', count: 2 }, '1'), delay({ version: '1', count: 2 }, '2'), delay({ version: '1', count: 2 }, undefined), delay({ version: undefined, count: 3 }, '1')])
      .toEqual([0, 200, 0, 200, 400]);
  });
});

describe('notes', () => {
  test('come back as they went, and what is none is nothing', () => {
    for (const notes of [{ provisioned: '7', failed: { version: '7', count: 3 } }, { provisioned: undefined, failed: { version: undefined, count: 1 } }, { provisioned: '1', failed: undefined }]) {
      expect(parseNotes(formatNotes(notes))).toEqual(notes);
    }
    for (const text of [undefined, '', 'no JSON', 'null']) expect(parseNotes(text)).toEqual({});
    for (const failed of ['null', '{"count":0}', '{"count":1.5}', '{"count":"1"}', '{}']) expect(parseNotes(`{"provisioned":7,"failed":${failed}}`)).toEqual({ provisioned: undefined, failed: undefined });
    expect(parseNotes('{"failed":{"version":7,"count":1}}').failed).toEqual({ version: undefined, count: 1 });
  });
});
