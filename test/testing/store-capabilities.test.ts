import { afterEach, describe, expect, test, vi } from 'vitest';
import type { ConnectionStore } from 'hydrant';
import { storeConformance, type StoreCapabilities } from 'hydrant/testing';
import { systemClock } from '../../src/clock.js';
import { CompleteStore, EVERYTHING, turns } from './support/complete-store.js';
import { conformanceFailures, errorOf, namesOf } from './support/conformance.js';

/** Each capability by itself. */
const SINGLY: readonly (keyof StoreCapabilities)[] = [
  'getMany',
  'getVersions',
  'watch',
  'invalidRows',
  'bookkeeping',
  'touch',
  'counter',
];

describe('the store conformance suite, by what a store has', () => {
  afterEach(() => { vi.restoreAllMocks(); });
  const only = (...members: (keyof ConnectionStore)[]) => (): CompleteStore => {
    const made = new CompleteStore();
    return Object.assign(made, { store: Object.fromEntries(members.map((member) => [member, made.store[member]])) });
  };

  describe('passes a store that has everything', () => {
    storeConformance({ describe, it: test }, () => new CompleteStore(), EVERYTHING);
  });

  test.each([[[0, 4]], [[4, 0]]])('passes one whose subscriptions take %j turns', async (delays) => {
    expect(await conformanceFailures(() => new CompleteStore(delays), EVERYTHING)).toEqual([]);
  });

  test('passes one that announces a gap after too many changes', async () => {
    const flooded = (): CompleteStore => {
      const made = new CompleteStore();
      const { tell } = made;
      const listeners: { gap(): void }[] = [];
      let changes = 0;
      made.tell = (id) => {
        changes += 1;
        if (changes < 500) tell.call(made, id);
        else if (changes === 500) for (const listener of listeners) listener.gap();
      };
      return Object.assign(made, {
        store: {
          ...made.store,
          watch: (listener: never) => {
            listeners.push(listener);
            return made.watch(listener);
          },
        },
      });
    };
    expect(await conformanceFailures(flooded, EVERYTHING)).toEqual([]);
  });

  test.each(['number', 'bigint'])('passes one whose versions are of type %s', async (type) => {
    const convert = (version: unknown): any => (type === 'number' ? Number(version) : BigInt(version as string));
    const made = (): CompleteStore => {
      const good = new CompleteStore();
      return Object.assign(good, {
        store: {
          get: async (id: string) => {
            const row = await good.get(id);
            return row && { ...row, version: convert(row.version) };
          },
        },
      });
    };
    expect(await conformanceFailures(made, {})).toEqual([]);
  });

  test.each([
    { members: ['get'], capabilities: {} },
    { members: ['get', 'getMany'], capabilities: { getMany: true } },
    { members: ['get', 'getVersions'], capabilities: { getVersions: true } },
    { members: ['get', 'watch'], capabilities: { watch: true } },
    { members: ['get'], capabilities: { invalidRows: true, touch: true, bookkeeping: true } },
  ] as const)('uses only the members of a store with $members', async ({ members, capabilities }) => {
    expect(await conformanceFailures(only(...members), capabilities)).toEqual([]);
  });

  test('gives every test a name of its own, and defines tests of a capability only with it', () => {
    const all = namesOf(EVERYTHING);
    for (const name of all)
      expect(name).toMatch(/^(get|getMany|getVersions|getMany and getVersions|ids|versions|invalid rows|watch): \w/);
    expect(new Set(all).size).toBe(all.length);
    expect(namesOf({}).filter((name) => !/^(get|versions|ids): /.test(name) || name.includes('batch'))).toEqual([]);
    for (const capability of SINGLY)
      expect(namesOf({ [capability]: true }).length, capability).toBeGreaterThan(namesOf({}).length);
    expect(namesOf({ ...EVERYTHING, interruption: false })).toEqual(
      all.filter((name) => !name.startsWith('watch: after its connection was cut')),
    );
  });

  test('puts the tests under a heading', () => {
    const headings: string[] = [];
    storeConformance({ describe: (name) => headings.push(name), it: test }, () => new CompleteStore());
    expect(headings).toEqual(['store conformance']);
  });

  test.each<{ capabilities: StoreCapabilities; written: boolean }>([
    { capabilities: {}, written: true },
    { capabilities: { makeId: (n) => `id${n}` }, written: false },
    { capabilities: { makeId: (n) => `id${n}`, anyId: true }, written: true },
    { capabilities: { anyId: false }, written: false },
  ])('with $capabilities, odd ids are written: $written', ({ capabilities, written }) => {
    expect(namesOf(capabilities).includes('ids: an odd id finds its own row and no other')).toBe(written);
  });

  test('writes the given ids', async () => {
    const written = new Set<string>();
    const made = (): CompleteStore => {
      const good = new CompleteStore();
      return Object.assign(good, {
        write: (id: string, row: never) => {
          written.add(id);
          return good.constructor.prototype.write.call(good, id, row);
        },
      });
    };
    await conformanceFailures(made, { makeId: (n) => `tenant/${n}` });
    expect([...written].filter((id) => !/^tenant\/\d+$/.test(id))).toEqual([]);
    expect(written.size).toBeGreaterThan(10);
  });

  test('closes every store, even if its test failed', async () => {
    const open = new Set<object>();
    const failed = await conformanceFailures(() => {
      const made = Object.assign(new CompleteStore(), { store: { get: async () => undefined }, close: () => open.delete(made) });
      open.add(made);
      return made;
    }, EVERYTHING);
    expect({ failsMoreThanTen: failed.length > 10, open: open.size }).toEqual({ failsMoreThanTen: true, open: 0 });
  });

  describe('says', () => {
    test.each(['getMany', 'getVersions', 'watch'] as const)('that %s was promised and is missing', async (member) => {
      const name = namesOf({ [member]: true }).find((one) => !namesOf({}).includes(one) && !one.startsWith('ids')) as string;
      expect(await errorOf(only('get'), { [member]: true }, name)).toMatchObject({
        message: `the capabilities promise ${member}, but it is missing`,
      });
    });

    test.each([undefined, null])('that a row exists if %o is found', async (found) => {
      const error = await errorOf(
        () => Object.assign(new CompleteStore(), { store: { get: async () => found } }),
        {},
        'versions: reading does not change them',
      );
      expect(error).toMatchObject({ message: 'get(\'connection1\') found nothing, but the row exists' });
    });

    test('which hint did not come in time', async () => {
      const error = await errorOf(
        () => Object.assign(new CompleteStore(), { store: { watch: async () => ({}) } }),
        { watch: true, hintTimeoutMs: 10 },
        'watch: a subscription begins with a gap',
      );
      expect(error).toMatchObject({ message: 'not within 10 ms: gap() after subscribing' });
    });
  });

  test('holds the process open while it waits for a hint', async () => {
    const waits = vi.spyOn(systemClock, 'setTimeout');
    expect(await errorOf(() => new CompleteStore(), EVERYTHING, 'watch: a subscription begins with a gap')).toBeUndefined();
    expect(waits.mock.calls.map(([, , options]) => options)).toContainEqual({ ref: true });
    await turns(1);
  });
});
