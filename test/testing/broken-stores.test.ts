import type { StoreUnderTest } from 'hydrant/testing';
import { describe, expect, test } from 'vitest';
import { BROKEN_STORES, ODDEST } from './support/broken-stores/index.js';
import { CompleteStore, EVERYTHING } from './support/complete-store.js';
import { conformanceFailures } from './support/conformance.js';

/** The members one by one, so that a test can replace some. */
const membersOf = (good: CompleteStore): Omit<Required<StoreUnderTest>, 'store'> => ({
  write: (id, row) => good.write(id, row),
  remove: (id) => good.remove(id),
  configOf: (record) => good.configOf(record),
  writeInvalid: (id) => good.writeInvalid(id),
  bookkeep: (id) => good.bookkeep(id),
  touch: (id) => good.touch(id),
  interrupt: () => good.interrupt(),
  close() {},
});

describe('the store conformance suite fails a store that', () => {
  test.each(BROKEN_STORES)('$name', async ({ caughtBy, change, capabilities }) => {
    const made = (): StoreUnderTest => {
      const good = new CompleteStore();
      const { store, ...members } = change(good);
      return { ...membersOf(good), ...members, store: { ...good.store, ...store } };
    };
    expect(await conformanceFailures(made, { ...EVERYTHING, hintTimeoutMs: 20, ...capabilities }, caughtBy)).toEqual([caughtBy]);
  });

  test.each(ODDEST)('fails at an id $what', async ({ id: odd }) => {
    const made = (): CompleteStore => {
      const good = new CompleteStore();
      return Object.assign(good, {
        store: {
          get: async (id: string) => {
            if (id === odd) throw new Error('invalid id');
            return good.get(id);
          },
        },
      });
    };
    const caughtBy = 'ids: an unknown odd id is undefined, not an error';
    expect(await conformanceFailures(made, {}, caughtBy)).toEqual([caughtBy]);
  });
});
