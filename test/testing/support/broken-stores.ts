import { ConnectionError, type ConnectionRecord, type ConnectionStore, type StoreListener } from 'hydrant';
import type { StoreCapabilities, StoreUnderTest } from 'hydrant/testing';
import { turns, type CompleteStore } from './complete-store.js';

/** What is wrong about it, in place of what is right. */
export type Change = Partial<Omit<StoreUnderTest, 'store'>> & { readonly store?: Partial<ConnectionStore> };
type Row = [name: string, caughtBy: string, change: (good: CompleteStore) => Change, capabilities?: StoreCapabilities];

const reading = (change: (row: ConnectionRecord, good: CompleteStore) => unknown): Row[2] => (good) => ({
  store: { get: async (id) => { const row = await good.get(id); return row && await change(row, good) as ConnectionRecord; } },
});
const reads =
  (get: (good: CompleteStore, id: string, options?: { signal?: AbortSignal | undefined }) => Promise<unknown>): Row[2] =>
  (good) => ({ store: { get: (id, options) => get(good, id, options) as Promise<ConnectionRecord | undefined> } });
const many =
  (getMany: (good: CompleteStore, ids: readonly string[]) => Promise<ReadonlyMap<string, any>>): Row[2] =>
  (good) => ({ store: { getMany: (ids) => getMany(good, ids) } });
const versions =
  (getVersions: (good: CompleteStore, ids: readonly string[]) => Promise<ReadonlyMap<string, any>>): Row[2] =>
  (good) => ({ store: { getVersions: (ids) => getVersions(good, ids) } });
const mapped = <V>(map: ReadonlyMap<string, V>, change: (value: V, id: string) => unknown): Map<string, any> =>
  new Map([...map].map(([id, value]) => [id, change(value, id)]));
const without = <V>(map: ReadonlyMap<string, V>, drop: (value: V, id: string) => boolean): Map<string, V> =>
  new Map([...map].filter(([id, value]) => !drop(value, id)));

/** Answers for good what was answered first. */
function kept<A extends unknown[], T>(read: (...args: A) => Promise<T>): (...args: A) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (...args) => {
    const key = JSON.stringify(args);
    const answer = answers.get(key) ?? read(...args);
    answers.set(key, answer);
    return answer;
  };
}
/** Whoever asks while the same is under way gets that answer. */
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
/** Hears for the listener, who is told what `change` lets through; `nth` counts the listeners from 0. */
const hearing = (change: (listener: StoreListener, nth: number) => Partial<StoreListener>): Row[2] => (good) => {
  let nth = 0;
  return {
    store: {
      watch: (listener) =>
        good.watch({ changed: (ids) => listener.changed(ids), gap: () => listener.gap(), ...change(listener, nth++) }),
    },
  };
};

const ROW = 'get: a row comes back with its id, its status and a version';
const DELETED = 'get: deleting one row leaves the others, and deleting an unknown one harms nothing';
const MANY_GETS = 'get: many at a time, and with a signal';
const ODD_BATCH = 'ids: an odd one does not fail a batch for the others';
const ODD_AGAIN = 'ids: an odd one is found again, and only under itself';
const BATCH = 'getMany: known ids and no others';
const BATCH_SEES = 'getMany: a read that begins after a write was committed sees it';
const THOUSAND = 'getMany and getVersions: a thousand ids';
const VERSIONS = 'versions: getVersions says what get says';
const VERSIONS_SEE = 'versions: getVersions that begins after a write was committed sees it';
const ONE_EACH = 'versions: one stands for one configuration while many write';
const TOUCH = 'versions: touch makes a new one and changes nothing else';
const INVALID = 'invalid rows: get rejects with INVALID_RECORD and tells nothing of what is in it';
const INVALID_BATCH = 'invalid rows: one does not fail a batch for the others';
const PUT_RIGHT = 'invalid rows: a row that is put right is a record again';
const ALL_HEAR = 'watch: several listeners all hear, and one that left hears no more';
const FLOOD = 'watch: a thousand changes at once are all told';
const CUT = 'watch: after its connection was cut it subscribes again, with a gap';

export const BROKEN_STORES: Row[] = [
  ['calls rows by another name', ROW, reading((row) => ({ ...row, id: `id:${row.id}` }))],
  ['takes every row for active', ROW, reading((row) => ({ ...row, status: 'active' }))],
  ['takes every row for stopped', ROW, reading((row) => ({ ...row, status: 'stopped' }))],
  [
    'gives every row the configuration of the first',
    ROW,
    (good) => {
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
  ],
  ['gives a date for a version', ROW, reading((row) => ({ ...row, version: new Date(Number(row.version)) }))],
  ['gives no version', ROW, reading(({ version: _version, ...row }) => row)],
  [
    'deletes the others as well',
    DELETED,
    (good) => {
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
  ],
  ['deletes nothing', DELETED, () => ({ remove: async () => {} })],
  [
    'fails at the deletion of what is not there',
    DELETED,
    (good) => ({
      remove: async (id) => {
        if ((await good.get(id)) === undefined) throw new Error('no such row');
        await good.remove(id);
      },
    }),
  ],
  [
    'mixes up the answers of reads at the same time',
    MANY_GETS,
    (good) => {
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
  ],
  [
    'cannot be given a signal',
    MANY_GETS,
    reads(async (good, id, options) => {
      if (options?.signal !== undefined) throw new TypeError('unexpected signal');
      return good.get(id);
    }),
  ],

  [
    'fails at versions of a batch with an odd id',
    ODD_BATCH,
    versions(async (good, ids) => {
      if (ids.includes('__proto__')) throw new Error('invalid byte sequence');
      return good.getVersions(ids);
    }),
    { getMany: false },
  ],
  [
    'fails at a batch with an odd id, and has no versions',
    ODD_BATCH,
    many(async (good, ids) => {
      if (ids.includes('__proto__')) throw new Error('invalid byte sequence');
      return good.getMany(ids);
    }),
    { getVersions: false },
  ],
  [
    'finds odd ids in a batch',
    ODD_BATCH,
    many(
      async (good, ids) =>
        new Map([...(await good.getMany(ids)), ...ids.filter((id) => id === '*').map((id) => [id, undefined] as const)]),
    ),
  ],
  [
    'finds versions of odd ids',
    ODD_BATCH,
    versions(
      async (good, ids) =>
        new Map([...(await good.getVersions(ids)), ...ids.filter((id) => id === '*').map((id) => [id, '1'] as const)]),
    ),
  ],
  [
    'compares ids without case in a batch',
    ODD_AGAIN,
    many(async (good, ids) => {
      const found = await good.getMany(ids.map((id) => id.toLowerCase()));
      return new Map(ids.flatMap((id) => (found.has(id.toLowerCase()) ? [[id, found.get(id.toLowerCase())]] : [])));
    }),
  ],
  [
    'deletes nothing with a capital in its id',
    ODD_AGAIN,
    (good) => ({
      remove: async (id) => {
        if (id === id.toLowerCase()) await good.remove(id);
      },
    }),
  ],
  [
    'deletes without case',
    ODD_AGAIN,
    (good) => ({
      remove: async (id) => {
        await good.remove(id);
        await good.remove(id.toLowerCase());
      },
    }),
  ],

  [
    'fails at an empty batch',
    BATCH,
    many(async (good, ids) => {
      if (ids.length === 0) throw new Error('syntax error at or near ")"');
      return good.getMany(ids);
    }),
  ],
  [
    'gives everything for an empty batch',
    BATCH,
    many(async (good, ids) => good.getMany(ids.length === 0 ? ['connection0'] : ids)),
  ],
  [
    'finds deleted rows in a batch',
    BATCH,
    (good) => {
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
  ],
  [
    'calls rows by another name in a batch',
    BATCH,
    many(async (good, ids) => mapped(await good.getMany(ids), (row, id) => ({ ...row, id: `id:${id}` }))),
  ],
  [
    'takes every row for active in a batch',
    BATCH,
    many(async (good, ids) => mapped(await good.getMany(ids), (row) => ({ ...row, status: 'active' }))),
  ],
  [
    'mixes up configurations in a batch',
    BATCH,
    many(async (good, ids) => mapped(await good.getMany(ids), (row) => ({ ...row, config: 'config 0' }))),
  ],
  [
    'has other versions in a batch',
    BATCH,
    many(async (good, ids) => mapped(await good.getMany(ids), (row) => ({ ...row, version: `${row.version}.0` }))),
  ],
  [
    'leaves a row out of a batch where its id is asked for twice',
    BATCH,
    many(async (good, ids) => without(await good.getMany(ids), (_row, id) => ids.filter((one) => one === id).length > 1)),
  ],
  [
    'keeps what it read in a batch',
    BATCH_SEES,
    (good) => ({ store: { getMany: kept((ids: readonly string[]) => good.getMany(ids)) } }),
  ],
  [
    'shares a batch that began earlier',
    BATCH_SEES,
    (good) => ({ store: { getMany: shared((ids: readonly string[]) => good.getMany(ids)) } }),
  ],
  [
    'reads no more than a batch of five hundred',
    THOUSAND,
    many((good, ids) => {
      if (ids.length > 500) throw new Error('too many parameters');
      return good.getMany(ids);
    }),
  ],
  ['reads the first of a large batch', THOUSAND, many((good, ids) => good.getMany(ids.slice(0, 40)))],
  ['reads versions of the first of a large batch', THOUSAND, versions((good, ids) => good.getVersions(ids.slice(0, 40)))],

  [
    'fails at versions of nothing',
    VERSIONS,
    versions(async (good, ids) => {
      if (ids.length === 0) throw new Error('syntax error at or near ")"');
      return good.getVersions(ids);
    }),
  ],
  [
    'has versions for an empty batch',
    VERSIONS,
    versions(async (good, ids) => good.getVersions(ids.length === 0 ? ['connection0'] : ids)),
  ],
  [
    'has versions of active rows alone',
    VERSIONS,
    versions(async (good, ids) => {
      const rows = await good.getMany(ids);
      return without(await good.getVersions(ids), (_version, id) => rows.get(id)?.status !== 'active');
    }),
  ],
  [
    'keeps the versions it read',
    VERSIONS_SEE,
    (good) => ({ store: { getVersions: kept((ids: readonly string[]) => good.getVersions(ids)) } }),
  ],
  [
    'shares a query of versions that began earlier',
    VERSIONS_SEE,
    (good) => ({ store: { getVersions: shared((ids: readonly string[]) => good.getVersions(ids)) } }),
  ],
  [
    'goes on telling versions of what was deleted',
    VERSIONS_SEE,
    (good) => {
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
  ],
  [
    'reads a row’s status in another step',
    ONE_EACH,
    (good) => {
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
  ],
  [
    'counts versions anew after a delete',
    ONE_EACH,
    (good) => {
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
  ],
  ['keeps the version at a touch', TOUCH, () => ({ touch: async () => {} })],
  [
    'stops what is touched',
    TOUCH,
    (good) => ({
      touch: async (id) => {
        if ((await good.get(id)) !== undefined) await good.write(id, { status: 'stopped', config: 'a' });
      },
    }),
  ],
  [
    'changes the configuration at a touch',
    TOUCH,
    (good) => ({
      touch: async (id) => {
        if ((await good.get(id)) !== undefined) await good.write(id, { status: 'active', config: 'touched' });
      },
    }),
  ],

  ['takes an invalid row for missing', INVALID, reads((good, id) => good.get(id).catch(() => undefined))],
  [
    'fails at an invalid row without a code',
    INVALID,
    reads((good, id) =>
      good.get(id).catch(() => {
        throw new SyntaxError('unexpected token x in JSON');
      }),
    ),
  ],
  [
    'fails at an invalid row with another code',
    INVALID,
    reads((good, id) =>
      good.get(id).catch(() => {
        throw new ConnectionError('STORE_UNAVAILABLE', 'no row', { connectionId: id });
      }),
    ),
  ],
  [
    'does not say which row is invalid',
    INVALID,
    reads((good, id) =>
      good.get(id).catch(() => {
        throw new ConnectionError('INVALID_RECORD', 'no record');
      }),
    ),
  ],
  [
    'fails at a batch with an invalid row',
    INVALID_BATCH,
    many(async (good, ids) => {
      for (const id of ids) await good.get(id);
      return good.getMany(ids);
    }),
  ],
  [
    'leaves invalid rows out of a batch',
    INVALID_BATCH,
    many(async (good, ids) => without(await good.getMany(ids), (row: any) => row instanceof Error)),
  ],
  [
    'gives an invalid row in a batch as it is',
    INVALID_BATCH,
    many(async (good, ids) => mapped(await good.getMany(ids), (row: any, id) => (row instanceof Error ? { id } : row))),
  ],
  [
    'gives an error without a code in a batch',
    INVALID_BATCH,
    many(async (good, ids) =>
      mapped(await good.getMany(ids), (row: any) =>
        row instanceof Error ? new ConnectionError('STORE_UNAVAILABLE', 'no row') : row,
      ),
    ),
  ],
  [
    'fails at versions with an invalid row',
    INVALID_BATCH,
    versions(async (good, ids) => {
      for (const id of ids) await good.get(id);
      return good.getVersions(ids);
    }),
  ],
  [
    'has versions up to an invalid row',
    INVALID_BATCH,
    versions(async (good, ids) => without(await good.getVersions(ids), (_version, id) => id === 'connection3')),
  ],
  [
    'has versions from an invalid row on',
    INVALID_BATCH,
    versions(async (good, ids) => without(await good.getVersions(ids), (_version, id) => id === 'connection1')),
  ],
  [
    'has versions of what is not there, beside an invalid row',
    INVALID_BATCH,
    versions(async (good, ids) => new Map(ids.map((id) => [id, '1']))),
  ],
  [
    'brings back the old version of a row that is put right',
    PUT_RIGHT,
    (good) => {
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
  ],
  [
    'keeps the version of a row that has become invalid',
    PUT_RIGHT,
    (good) => {
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
  ],
  [
    'never takes an invalid row for a record again',
    PUT_RIGHT,
    (good) => {
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
  ],

  ['tells the first listener alone', ALL_HEAR, hearing((_listener, nth) => (nth === 0 ? {} : { changed() {} }))],
  ['tells the last listener alone', ALL_HEAR, hearing((_listener, nth) => (nth === 1 ? {} : { changed() {} }))],
  ['begins the second subscription without a gap', ALL_HEAR, hearing((_listener, nth) => (nth === 0 ? {} : { gap() {} }))],
  [
    'lets nobody leave',
    ALL_HEAR,
    (good) => ({
      store: {
        watch: async (listener) => {
          await good.watch(listener);
          return { async [Symbol.asyncDispose]() {} };
        },
      },
    }),
  ],
  [
    'loses hints when many come at once',
    FLOOD,
    hearing((listener) => {
      let heard = 0;
      return {
        changed: (ids) => {
          if ((heard += 1) <= 900) listener.changed(ids);
        },
      };
    }),
  ],
  [
    'subscribes again once',
    CUT,
    (good) => {
      let cuts = 0;
      return {
        interrupt: async () => {
          if ((cuts += 1) === 1) await good.interrupt();
        },
      };
    },
  ],
  [
    'hears nothing any more once it was cut',
    CUT,
    (good) => {
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
  ],
];

/** As odd as an id out of a URL can be. */
export const ODDEST: [what: string, id: string][] = [
  ['that is half a character', '\ud800'], ['of 1 024 characters', 'x'.repeat(1_024)], ['of a single character', '*'],
  ['that every object has', '__proto__'], ['that leads elsewhere', '../up'],
];
