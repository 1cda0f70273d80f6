import { ConnectionError, type ConnectionRecord, type ConnectionStore, type StoreListener } from 'hydrant';
import type { StoreCapabilities, StoreUnderTest } from 'hydrant/testing';
import { turns, type CompleteStore } from './complete-store.js';

/** The wrong members, which replace the right ones. */
export type Change = Partial<Omit<StoreUnderTest, 'store'>> & { readonly store?: Partial<ConnectionStore> };
interface BrokenStore {
  readonly name: string;
  /** The conformance test that must fail. */
  readonly caughtBy: string;
  readonly change: (good: CompleteStore) => Change;
  readonly capabilities?: StoreCapabilities;
}

const reading = (change: (row: ConnectionRecord, good: CompleteStore) => unknown): BrokenStore['change'] => (good) => ({
  store: { get: async (id) => { const row = await good.get(id); return row && await change(row, good) as ConnectionRecord; } },
});
const reads =
  (
    get: (good: CompleteStore, id: string, options?: { signal?: AbortSignal | undefined }) => Promise<unknown>,
  ): BrokenStore['change'] =>
  (good) => ({ store: { get: (id, options) => get(good, id, options) as Promise<ConnectionRecord | undefined> } });
const many =
  (getMany: (good: CompleteStore, ids: readonly string[]) => Promise<ReadonlyMap<string, any>>): BrokenStore['change'] =>
  (good) => ({ store: { getMany: (ids) => getMany(good, ids) } });
const versions =
  (getVersions: (good: CompleteStore, ids: readonly string[]) => Promise<ReadonlyMap<string, any>>): BrokenStore['change'] =>
  (good) => ({ store: { getVersions: (ids) => getVersions(good, ids) } });
const mapped = <V>(map: ReadonlyMap<string, V>, change: (value: V, id: string) => unknown): Map<string, any> =>
  new Map([...map].map(([id, value]) => [id, change(value, id)]));
const without = <V>(map: ReadonlyMap<string, V>, drop: (value: V, id: string) => boolean): Map<string, V> =>
  new Map([...map].filter(([id, value]) => !drop(value, id)));

/** Repeats its first answer for ever. */
function kept<A extends unknown[], T>(read: (...args: A) => Promise<T>): (...args: A) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (...args) => {
    const key = JSON.stringify(args);
    const answer = answers.get(key) ?? read(...args);
    answers.set(key, answer);
    return answer;
  };
}
/** A call that arrives while the same one is under way gets its answer. */
function shared<A extends unknown[], T>(read: (...args: A) => Promise<T>): (...args: A) => Promise<T> {
  const flights = new Map<string, Promise<T>>();
  return (...args) => {
    const key = JSON.stringify(args);
    const flight =
      flights.get(key)
      ?? read(...args)
        .then(async (answer) => {
          await turns(4);
          return answer;
        })
        .finally(() => flights.delete(key));
    flights.set(key, flight);
    return flight;
  };
}
/** Listens for the listener and passes on only what `change` lets through. `nth` counts the listeners from 0. */
const hearing = (change: (listener: StoreListener, nth: number) => Partial<StoreListener>): BrokenStore['change'] => (good) => {
  let nth = 0;
  return {
    store: {
      watch: (listener) =>
        good.watch({ changed: (ids) => listener.changed(ids), gap: () => listener.gap(), ...change(listener, nth++) }),
    },
  };
};

const ROW = 'get: returns the row with its id, its status and a version';
const DELETED = 'get: deleting a row leaves the others, and deleting an unknown row does nothing';
const MANY_GETS = 'get: many at a time, and with a signal';
const ODD_BATCH = 'ids: an odd id does not fail the other ids of a batch';
const ODD_AGAIN = 'ids: an odd id finds its own row and no other';
const BATCH = 'getMany: returns the known ids only';
const BATCH_SEES = 'getMany: a read that begins after a write was committed sees it';
const THOUSAND = 'getMany and getVersions: a thousand ids';
const VERSIONS = 'versions: getVersions agrees with get';
const VERSIONS_SEE = 'versions: a getVersions that begins after a write was committed sees it';
const ONE_EACH = 'versions: one version means one configuration while many write';
const TOUCH = 'versions: touch makes a new version and changes nothing else';
const INVALID = 'invalid rows: get rejects with INVALID_RECORD, without the contents of the row';
const INVALID_BATCH = 'invalid rows: one does not fail the other rows of a batch';
const PUT_RIGHT = 'invalid rows: a repaired row is a record again';
const ALL_HEAR = 'watch: every listener is called, and a removed one no longer';
const FLOOD = 'watch: a thousand changes at once are all reported';
const CUT = 'watch: after its connection was cut, it subscribes again, with a gap';

export const BROKEN_STORES: readonly BrokenStore[] = [
  { name: 'calls rows by another name', caughtBy: ROW, change: reading((row) => ({ ...row, id: `id:${row.id}` })) },
  { name: 'takes every row for active', caughtBy: ROW, change: reading((row) => ({ ...row, status: 'active' })) },
  { name: 'takes every row for stopped', caughtBy: ROW, change: reading((row) => ({ ...row, status: 'stopped' })) },
  {
    name: 'gives every row the configuration of the first',
    caughtBy: ROW,
    change: (good) => {
      let first: any;
      return {
        store: {
          get: async (id) => {
            const row = await good.get(id);
            first ??= row;
            return row && { ...first, ...row, config: first.config };
          },
        },
      };
    },
  },
  {
    name: 'gives a date for a version',
    caughtBy: ROW,
    change: reading((row) => ({ ...row, version: new Date(Number(row.version)) })),
  },
  { name: 'gives no version', caughtBy: ROW, change: reading(({ version: _version, ...row }) => row) },
  {
    name: 'deletes the others as well',
    caughtBy: DELETED,
    change: (good) => {
      const written = new Set<string>();
      return {
        write: (id, row) => {
          written.add(id);
          return good.write(id, row);
        },
        remove: async () => {
          for (const id of written) await good.remove(id);
        },
      };
    },
  },
  { name: 'deletes nothing', caughtBy: DELETED, change: () => ({ remove: async () => {} }) },
  {
    name: 'fails at the deletion of what is not there',
    caughtBy: DELETED,
    change: (good) => ({
      remove: async (id) => {
        if ((await good.get(id)) === undefined) throw new Error('no such row');
        await good.remove(id);
      },
    }),
  },
  {
    name: 'mixes up the answers of reads at the same time',
    caughtBy: MANY_GETS,
    change: (good) => {
      let before = Promise.resolve<ConnectionRecord | undefined>(undefined);
      return {
        store: {
          get: (id) => {
            const answer = before;
            before = good.get(id);
            return answer;
          },
        },
      };
    },
  },
  {
    name: 'cannot be given a signal',
    caughtBy: MANY_GETS,
    change: reads(async (good, id, options) => {
      if (options?.signal !== undefined) throw new TypeError('unexpected signal');
      return good.get(id);
    }),
  },

  {
    name: 'fails at versions of a batch with an odd id',
    caughtBy: ODD_BATCH,
    change: versions(async (good, ids) => {
      if (ids.includes('__proto__')) throw new Error('invalid byte sequence');
      return good.getVersions(ids);
    }),
    capabilities: { getMany: false },
  },
  {
    name: 'fails at a batch with an odd id, and has no versions',
    caughtBy: ODD_BATCH,
    change: many(async (good, ids) => {
      if (ids.includes('__proto__')) throw new Error('invalid byte sequence');
      return good.getMany(ids);
    }),
    capabilities: { getVersions: false },
  },
  {
    name: 'finds odd ids in a batch',
    caughtBy: ODD_BATCH,
    change: many(
      async (good, ids) =>
        new Map([...(await good.getMany(ids)), ...ids.filter((id) => id === '*').map((id) => [id, undefined] as const)]),
    ),
  },
  {
    name: 'finds versions of odd ids',
    caughtBy: ODD_BATCH,
    change: versions(
      async (good, ids) =>
        new Map([...(await good.getVersions(ids)), ...ids.filter((id) => id === '*').map((id) => [id, '1'] as const)]),
    ),
  },
  {
    name: 'compares ids without case in a batch',
    caughtBy: ODD_AGAIN,
    change: many(async (good, ids) => {
      const found = await good.getMany(ids.map((id) => id.toLowerCase()));
      return new Map(ids.flatMap((id) => (found.has(id.toLowerCase()) ? [[id, found.get(id.toLowerCase())]] : [])));
    }),
  },
  {
    name: 'deletes nothing with a capital in its id',
    caughtBy: ODD_AGAIN,
    change: (good) => ({
      remove: async (id) => {
        if (id === id.toLowerCase()) await good.remove(id);
      },
    }),
  },
  {
    name: 'deletes without case',
    caughtBy: ODD_AGAIN,
    change: (good) => ({
      remove: async (id) => {
        await good.remove(id);
        await good.remove(id.toLowerCase());
      },
    }),
  },

  {
    name: 'fails at an empty batch',
    caughtBy: BATCH,
    change: many(async (good, ids) => {
      if (ids.length === 0) throw new Error('syntax error at or near ")"');
      return good.getMany(ids);
    }),
  },
  {
    name: 'gives everything for an empty batch',
    caughtBy: BATCH,
    change: many(async (good, ids) => good.getMany(ids.length === 0 ? ['connection0'] : ids)),
  },
  {
    name: 'finds deleted rows in a batch',
    caughtBy: BATCH,
    change: (good) => {
      const all = new Map<string, any>();
      return {
        store: {
          getMany: async (ids) => {
            for (const id of ids) all.set(id, all.get(id) ?? (await good.get(id)) ?? { id });
            return all;
          },
        },
      };
    },
  },
  {
    name: 'calls rows by another name in a batch',
    caughtBy: BATCH,
    change: many(async (good, ids) => mapped(await good.getMany(ids), (row, id) => ({ ...row, id: `id:${id}` }))),
  },
  {
    name: 'takes every row for active in a batch',
    caughtBy: BATCH,
    change: many(async (good, ids) => mapped(await good.getMany(ids), (row) => ({ ...row, status: 'active' }))),
  },
  {
    name: 'mixes up configurations in a batch',
    caughtBy: BATCH,
    change: many(async (good, ids) => mapped(await good.getMany(ids), (row) => ({ ...row, config: 'config 0' }))),
  },
  {
    name: 'has other versions in a batch',
    caughtBy: BATCH,
    change: many(async (good, ids) => mapped(await good.getMany(ids), (row) => ({ ...row, version: `${row.version}.0` }))),
  },
  {
    name: 'leaves a row out of a batch where its id is asked for twice',
    caughtBy: BATCH,
    change: many(async (good, ids) => without(await good.getMany(ids), (_row, id) => ids.filter((one) => one === id).length > 1)),
  },
  {
    name: 'keeps what it read in a batch',
    caughtBy: BATCH_SEES,
    change: (good) => ({ store: { getMany: kept((ids: readonly string[]) => good.getMany(ids)) } }),
  },
  {
    name: 'shares a batch that began earlier',
    caughtBy: BATCH_SEES,
    change: (good) => ({ store: { getMany: shared((ids: readonly string[]) => good.getMany(ids)) } }),
  },
  {
    name: 'reads no more than a batch of five hundred',
    caughtBy: THOUSAND,
    change: many((good, ids) => {
      if (ids.length > 500) throw new Error('too many parameters');
      return good.getMany(ids);
    }),
  },
  { name: 'reads the first of a large batch', caughtBy: THOUSAND, change: many((good, ids) => good.getMany(ids.slice(0, 40))) },
  {
    name: 'reads versions of the first of a large batch',
    caughtBy: THOUSAND,
    change: versions((good, ids) => good.getVersions(ids.slice(0, 40))),
  },

  {
    name: 'fails at versions of nothing',
    caughtBy: VERSIONS,
    change: versions(async (good, ids) => {
      if (ids.length === 0) throw new Error('syntax error at or near ")"');
      return good.getVersions(ids);
    }),
  },
  {
    name: 'has versions for an empty batch',
    caughtBy: VERSIONS,
    change: versions(async (good, ids) => good.getVersions(ids.length === 0 ? ['connection0'] : ids)),
  },
  {
    name: 'has versions of active rows alone',
    caughtBy: VERSIONS,
    change: versions(async (good, ids) => {
      const rows = await good.getMany(ids);
      return without(await good.getVersions(ids), (_version, id) => rows.get(id)?.status !== 'active');
    }),
  },
  {
    name: 'keeps the versions it read',
    caughtBy: VERSIONS_SEE,
    change: (good) => ({ store: { getVersions: kept((ids: readonly string[]) => good.getVersions(ids)) } }),
  },
  {
    name: 'shares a query of versions that began earlier',
    caughtBy: VERSIONS_SEE,
    change: (good) => ({ store: { getVersions: shared((ids: readonly string[]) => good.getVersions(ids)) } }),
  },
  {
    name: 'goes on telling versions of what was deleted',
    caughtBy: VERSIONS_SEE,
    change: (good) => {
      const last = new Map<string, string>();
      return {
        store: {
          getVersions: async (ids) => {
            for (const [id, version] of await good.getVersions(ids)) last.set(id, version);
            return without(last, (_version, id) => !ids.includes(id));
          },
        },
      };
    },
  },
  {
    name: 'reads a row’s status in another step',
    caughtBy: ONE_EACH,
    change: (good) => {
      let count = 0;
      return {
        store: {
          get: async (id) => {
            const row = await good.get(id);
            if ((count += 1) % 2 === 0) await turns(1);
            return row && { ...row, status: (await good.get(id))?.status ?? row.status };
          },
        },
      };
    },
  },
  {
    name: 'counts versions anew after a delete',
    caughtBy: ONE_EACH,
    change: (good) => {
      const counts = new Map<string, number>();
      return {
        store: {
          get: async (id) => {
            const count = counts.get(id);
            const row = await good.get(id);
            return row && { ...row, version: count ?? 0 };
          },
        },
        write: async (id, row) => {
          await good.write(id, row);
          counts.set(id, (counts.get(id) ?? 0) + 1);
        },
        remove: async (id) => {
          await good.remove(id);
          counts.delete(id);
        },
      };
    },
  },
  { name: 'keeps the version at a touch', caughtBy: TOUCH, change: () => ({ touch: async () => {} }) },
  {
    name: 'stops what is touched',
    caughtBy: TOUCH,
    change: (good) => ({
      touch: async (id) => {
        if ((await good.get(id)) !== undefined) await good.write(id, { status: 'stopped', config: 'a' });
      },
    }),
  },
  {
    name: 'changes the configuration at a touch',
    caughtBy: TOUCH,
    change: (good) => ({
      touch: async (id) => {
        if ((await good.get(id)) !== undefined) await good.write(id, { status: 'active', config: 'touched' });
      },
    }),
  },

  {
    name: 'takes an invalid row for missing',
    caughtBy: INVALID,
    change: reads((good, id) => good.get(id).catch(() => undefined)),
  },
  {
    name: 'fails at an invalid row without a code',
    caughtBy: INVALID,
    change: reads((good, id) =>
      good.get(id).catch(() => {
        throw new SyntaxError('unexpected token x in JSON');
      }),
    ),
  },
  {
    name: 'fails at an invalid row with another code',
    caughtBy: INVALID,
    change: reads((good, id) =>
      good.get(id).catch(() => {
        throw new ConnectionError('STORE_UNAVAILABLE', 'no row', { connectionId: id });
      }),
    ),
  },
  {
    name: 'does not say which row is invalid',
    caughtBy: INVALID,
    change: reads((good, id) =>
      good.get(id).catch(() => {
        throw new ConnectionError('INVALID_RECORD', 'no record');
      }),
    ),
  },
  {
    name: 'fails at a batch with an invalid row',
    caughtBy: INVALID_BATCH,
    change: many(async (good, ids) => {
      for (const id of ids) await good.get(id);
      return good.getMany(ids);
    }),
  },
  {
    name: 'leaves invalid rows out of a batch',
    caughtBy: INVALID_BATCH,
    change: many(async (good, ids) => without(await good.getMany(ids), (row: any) => row instanceof Error)),
  },
  {
    name: 'gives an invalid row in a batch as it is',
    caughtBy: INVALID_BATCH,
    change: many(async (good, ids) => mapped(await good.getMany(ids), (row: any, id) => (row instanceof Error ? { id } : row))),
  },
  {
    name: 'gives an error without a code in a batch',
    caughtBy: INVALID_BATCH,
    change: many(async (good, ids) =>
      mapped(await good.getMany(ids), (row: any) =>
        row instanceof Error ? new ConnectionError('STORE_UNAVAILABLE', 'no row') : row,
      ),
    ),
  },
  {
    name: 'fails at versions with an invalid row',
    caughtBy: INVALID_BATCH,
    change: versions(async (good, ids) => {
      for (const id of ids) await good.get(id);
      return good.getVersions(ids);
    }),
  },
  {
    name: 'has versions up to an invalid row',
    caughtBy: INVALID_BATCH,
    change: versions(async (good, ids) => without(await good.getVersions(ids), (_version, id) => id === 'connection3')),
  },
  {
    name: 'has versions from an invalid row on',
    caughtBy: INVALID_BATCH,
    change: versions(async (good, ids) => without(await good.getVersions(ids), (_version, id) => id === 'connection1')),
  },
  {
    name: 'has versions of what is not there, beside an invalid row',
    caughtBy: INVALID_BATCH,
    change: versions(async (good, ids) => new Map(ids.map((id) => [id, '1']))),
  },
  {
    name: 'brings back the old version of a row that is put right',
    caughtBy: PUT_RIGHT,
    change: (good) => {
      const before = new Map<string, unknown>();
      return {
        writeInvalid: async (id) => {
          before.set(id, (await good.get(id))?.version);
          await good.writeInvalid(id);
        },
        store: {
          get: async (id) => {
            const row = await good.get(id);
            return row && { ...row, version: (before.get(id) ?? row.version) as string };
          },
        },
      };
    },
  },
  {
    name: 'keeps the version of a row that has become invalid',
    caughtBy: PUT_RIGHT,
    change: (good) => {
      const before = new Map<string, string>();
      return {
        writeInvalid: async (id) => {
          before.set(id, String((await good.get(id))?.version));
          await good.writeInvalid(id);
        },
        store: {
          getVersions: async (ids) =>
            new Map([...(await good.getVersions(ids))].map(([id, version]) => [id, before.get(id) ?? version])),
        },
      };
    },
  },
  {
    name: 'never takes an invalid row for a record again',
    caughtBy: PUT_RIGHT,
    change: (good) => {
      const invalid = new Set<string>();
      return {
        writeInvalid: async (id) => {
          invalid.add(id);
        },
        store: {
          get: async (id) => {
            if (invalid.has(id)) throw new ConnectionError('INVALID_RECORD', 'no record', { connectionId: id });
            return good.get(id);
          },
        },
      };
    },
  },

  {
    name: 'tells the first listener alone',
    caughtBy: ALL_HEAR,
    change: hearing((_listener, nth) => (nth === 0 ? {} : { changed() {} })),
  },
  {
    name: 'tells the last listener alone',
    caughtBy: ALL_HEAR,
    change: hearing((_listener, nth) => (nth === 1 ? {} : { changed() {} })),
  },
  {
    name: 'begins the second subscription without a gap',
    caughtBy: ALL_HEAR,
    change: hearing((_listener, nth) => (nth === 0 ? {} : { gap() {} })),
  },
  {
    name: 'lets nobody leave',
    caughtBy: ALL_HEAR,
    change: (good) => ({
      store: {
        watch: async (listener) => {
          await good.watch(listener);
          return { async [Symbol.asyncDispose]() {} };
        },
      },
    }),
  },
  {
    name: 'loses hints when many come at once',
    caughtBy: FLOOD,
    change: hearing((listener) => {
      let heard = 0;
      return {
        changed: (ids) => {
          if ((heard += 1) <= 900) listener.changed(ids);
        },
      };
    }),
  },
  {
    name: 'subscribes again once',
    caughtBy: CUT,
    change: (good) => {
      let cuts = 0;
      return {
        interrupt: async () => {
          if ((cuts += 1) === 1) await good.interrupt();
        },
      };
    },
  },
  {
    name: 'hears nothing any more once it was cut',
    caughtBy: CUT,
    change: (good) => {
      let isCut = false;
      return {
        interrupt: () => {
          isCut = true;
          return good.interrupt();
        },
        store: {
          watch: (listener) =>
            good.watch({
              gap: () => listener.gap(),
              changed: (ids) => {
                if (!isCut) listener.changed(ids);
              },
            }),
        },
      };
    },
  },
];

/** The oddest ids that a URL can contain. */
export const ODDEST: readonly { readonly what: string; readonly id: string }[] = [
  { what: 'that is half a character', id: '\ud800' },
  { what: 'of 1 024 characters', id: 'x'.repeat(1_024) },
  { what: 'of a single character', id: '*' },
  { what: 'that every object has', id: '__proto__' },
  { what: 'that leads elsewhere', id: '../up' },
];
