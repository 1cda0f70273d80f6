import { describe, expect, test } from 'vitest';
import { ClaimNotes } from '../../src/exclusive/claim-notes.js';

describe('the notes of a claim', () => {
  test('come back as they were saved', () => {
    const notes = new ClaimNotes(undefined);
    expect(notes.unsaved).toBeUndefined();
    notes.provisioned = '7';
    notes.failed = { version: '7', count: 3 };
    const read = new ClaimNotes(notes.unsaved);
    expect({ provisioned: read.provisioned, failed: read.failed, unsaved: read.unsaved })
      .toEqual({ provisioned: '7', failed: { version: '7', count: 3 }, unsaved: undefined });
  });

  test('stay unsaved until the store has the latest', () => {
    const notes = new ClaimNotes(undefined);
    notes.provisioned = '1';
    const first = notes.unsaved!;
    notes.provisioned = '2';
    notes.saved(first);
    expect(notes.unsaved).toBe('{"provisioned":"2"}');
    notes.saved(notes.unsaved!);
    expect(notes.unsaved).toBeUndefined();
  });

  test.each([
    undefined, '', 'no JSON', 'null', '{"provisioned":7,"failed":null}',
    ...['{"count":0}', '{"count":1.5}', '{"count":"1"}', '{}'].map((failed) => `{"failed":${failed}}`),
  ])('that cannot be read count as empty: %s', (text) => {
    const notes = new ClaimNotes(text);
    expect({ provisioned: notes.provisioned, failed: notes.failed }).toEqual({ provisioned: undefined, failed: undefined });
  });

  test('keep a count whose version cannot be read', () => {
    expect(new ClaimNotes('{"failed":{"version":7,"count":1}}').failed).toEqual({ version: undefined, count: 1 });
  });
});
