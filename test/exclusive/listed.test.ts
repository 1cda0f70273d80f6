import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Listed } from '../../src/exclusive/listed.js';
import type { ListedConnection } from '../../src/exclusive/options.js';

const read = (entries: readonly (string | ListedConnection)[], before = Listed.none): Listed =>
  Listed.read(entries, before, false).listed;

describe('a listing', () => {
  const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', '');
  const entry = fc.oneof(
    id,
    fc.record({
      id,
      version: fc.constantFrom(1, 2, '1', 1n, undefined),
      status: fc.constantFrom('active' as const, 'stopped' as const, undefined),
    }),
  );

  test('does not depend on earlier listings or on their order', () => {
    fc.assert(
      fc.property(fc.array(entry), fc.array(entry), (earlier, entries) => {
        const before = read(earlier);
        const { listed, refused } = Listed.read(entries, before, false);
        const expected = new Map<string, string | undefined>();
        for (const one of entries) {
          const { id: name, version, status } = typeof one === 'string' ? { id: one } as ListedConnection : one;
          if (name !== '' && status !== 'stopped') expected.set(name, version === undefined ? undefined : String(version));
        }
        expect(listed.ids).toEqual([...expected.keys()].toSorted());
        for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', '']) {
          expect(listed.has(name)).toBe(expected.has(name));
          expect(listed.version(name)).toBe(expected.get(name));
        }
        expect(listed.hasMoreThan(before)).toBe([...expected.keys()].some((name) => !before.has(name)));
        expect(listed.ids === before.ids).toBe(JSON.stringify(listed.ids) === JSON.stringify(before.ids));
        expect(refused).toBe(entries.filter((one) => one === '' || (typeof one === 'object' && one.id === '')).length);
      }),
      { numRuns: 2_000 },
    );
  });

  test('that did not change is the same object', () => {
    const rows = ['a', 'b', 'c'].map((name) => ({ id: name, version: 1 }));
    const before = read(rows);
    expect(read(structuredClone(rows), before)).toBe(before);
    expect(read(structuredClone(rows).toReversed(), before).ids).toBe(before.ids);
  });

  test.each([{ before: [] }, { before: ['a'] }])('refuses an entry that is nothing after $before', ({ before }) => {
    const { listed, refused } = Listed.read([...before, undefined as never], read(before), false);
    expect({ ids: listed.ids, refused }).toEqual({ ids: before, refused: 1 });
  });

  test('that is shorter at its end has lost those ids', () => {
    const before = read(['a', 'b', 'c']);
    expect(read(['a'], before).ids).toEqual(['a']);
    expect(read([], before).ids).toEqual([]);
  });
});
