import type { ConnectionRecord, ConnectionStatus } from '../../src/contracts/record.js';
import type { ConnectionStore } from '../../src/contracts/store.js';
import { ConnectionError } from '../../src/errors.js';
import { MemoryStore } from '../../src/stores/memory.js';
import { ScriptedStore, storeConformance, type StoreCapabilities, type StoreUnderTest } from 'hydrant/testing';
import { describe, expect, test } from 'vitest';
import { conformanceFailures } from './support/conformance.js';

interface Row { readonly id: string; readonly status?: ConnectionStatus; readonly config: string }
type Stored = ConnectionRecord & { readonly config: string };

const ALL: StoreCapabilities = { getMany: true, getVersions: true, watch: true, hintTimeoutMs: 50 };

function subject(
  change: (good: ScriptedStore<Row>) => Partial<StoreUnderTest> & { store?: ConnectionStore } = () => ({}),
): () => StoreUnderTest {
  return () => {
    const store = new ScriptedStore<Row>();
    return {
      store,
      write: (id, { status, config }) => store.put({ id, status, config }),
      remove: (id) => store.delete(id),
      configOf: (record) => (record as Stored).config,
      ...change(store),
    };
  };
}

/** The members of a store as a plain object, to replace some. */
const membersOf = (store: ScriptedStore<Row>): Required<ConnectionStore> => ({
  get: (id) => store.get(id),
  getMany: async (ids) => await store.getMany?.(ids) ?? new Map(),
  getVersions: async (ids) => await store.getVersions?.(ids) ?? new Map(),
  watch: async (listener) => await store.watch?.(listener) ?? { async [Symbol.asyncDispose]() {} },
});

function checked(row: unknown): ConnectionRecord {
  if (row === 'invalid') throw new ConnectionError('INVALID_RECORD', 'no record');
  return row as ConnectionRecord;
}

const failures = (makeStore: () => StoreUnderTest, capabilities = ALL, only?: string): Promise<string[]> =>
  conformanceFailures(makeStore, capabilities, only);

describe('MemoryStore', () => {
  storeConformance({ describe, it: test }, () => {
    const store = new MemoryStore<Row>();
    return {
      store,
      write: (id, { status, config }) => (id === '' ? Promise.resolve() : store.put({ id, status, config })),
      remove: (id) => store.delete(id),
      configOf: (record) => (record as Stored).config,
    };
  });
});

describe('ScriptedStore', () => {
  storeConformance({ describe, it: test }, subject(), { getMany: true, getVersions: true, watch: true });
});

describe('the store conformance suite', () => {
  test('passes a store that is right', async () => {
    expect(await failures(subject())).toEqual([]);
  });

  test('passes one whose version is a hash of the row', async () => {
    const hashed = subject((store) => ({
      store: {
        get: async (id) => {
          const row = await store.get(id);
          return row && { ...row, version: `${row.status} ${(row as Stored).config}` };
        },
      },
    }));
    expect(await failures(hashed, {})).toEqual([]);
  });

  test('fails one that lacks what its capabilities promise', async () => {
    const bare = subject((store) => ({ store: { get: (id) => store.get(id) } }));
    expect(await failures(bare, {})).toEqual([]);
    for (const capability of ['getMany', 'getVersions', 'watch', 'invalidRows', 'bookkeeping', 'touch'] as const) {
      expect(await failures(bare, { [capability]: true, hintTimeoutMs: 20 }), capability).not.toEqual([]);
    }
  });

  const broken: [name: string, caughtBy: string, change: Parameters<typeof subject>[0], capabilities?: StoreCapabilities][] = [
    [
      'answers null for a missing id',
      'get: an unknown id is undefined',
      (store) => ({ store: { ...membersOf(store), get: async (id) => (await store.get(id)) ?? (null as never) } }),
    ],
    [
      'throws for a missing id',
      'get: an unknown id is undefined',
      (store) => ({
        store: { ...membersOf(store), get: async (id) => (await store.get(id)) ?? Promise.reject(new Error('no rows')) },
      }),
    ],
    [
      'puts missing ids into the map',
      'getMany: known ids and no others',
      (store) => ({
        store: {
          ...membersOf(store),
          getMany: async (ids) =>
            new Map(await Promise.all(ids.map(async (id) => [id, (await store.get(id)) as ConnectionRecord] as const))),
        },
      }),
    ],
    [
      'puts versions of missing ids into the map',
      'versions: getVersions says what get says',
      (store) => ({
        store: {
          ...membersOf(store),
          getVersions: async (ids) =>
            new Map(await Promise.all(ids.map(async (id) => [id, (await store.get(id))?.version as never] as const))),
        },
      }),
    ],
    [
      'keeps what it read',
      'get: a read that begins after a write was committed sees it',
      (store) => {
        const kept = new Map<string, Promise<ConnectionRecord | undefined>>();
        return {
          store: {
            ...membersOf(store),
            get: (id) => kept.get(id) ?? (kept.set(id, store.get(id)).get(id) as Promise<ConnectionRecord | undefined>),
          },
        };
      },
    ],
    [
      'reads a replica that lags by a write',
      'get: a read that begins after a write was committed sees it',
      (store) => {
        let lagging = new Map<string, Stored>();
        const catchUp = async (): Promise<void> => {
          lagging = new Map((await store.list()).map((row) => [row.id, row]));
        };
        return {
          store: { ...membersOf(store), get: async (id) => lagging.get(id) },
          write: async (id, { status, config }) => {
            await catchUp();
            await store.put({ id, status, config });
          },
          remove: async (id) => {
            await catchUp();
            await store.delete(id);
          },
        };
      },
    ],
    [
      'shares a read that began earlier',
      'get: a read that begins after a write was committed sees it',
      (store) => {
        const flights = new Map<string, Promise<ConnectionRecord | undefined>>();
        return {
          store: {
            ...membersOf(store),
            get(id) {
              const flight =
                flights.get(id)
                ?? store
                  .get(id)
                  .then(
                    (row) =>
                      new Promise<typeof row>((resolve) => {
                        setTimeout(resolve, 1, row);
                      }),
                  )
                  .finally(() => flights.delete(id));
              flights.set(id, flight);
              return flight;
            },
          },
        };
      },
    ],
    [
      'counts versions per row, from 1',
      'versions: equal ones mean equal configuration and status, after delete and recreate too',
      (store) => {
        const counts = new Map<string, number>();
        return {
          store: {
            ...membersOf(store),
            get: async (id) => {
              const row = await store.get(id);
              return row && { ...row, version: counts.get(id) ?? 0 };
            },
          },
          write: async (id, { status, config }) => {
            counts.set(id, (counts.get(id) ?? 0) + 1);
            await store.put({ id, status, config });
          },
          remove: async (id) => {
            counts.delete(id);
            await store.delete(id);
          },
        };
      },
    ],
    [
      'takes a coarse updated_at for a version',
      'versions: every edit, stop and start makes another one',
      (store) => ({
        store: {
          ...membersOf(store),
          get: async (id) => {
            const row = await store.get(id);
            return row && { ...row, version: Math.floor(Number(row.version) / 4) };
          },
        },
      }),
    ],
    [
      'says that a hash of the row is a counter',
      'versions: a counter gives none twice, not even after delete and recreate',
      (store) => ({
        store: {
          ...membersOf(store),
          get: async (id) => {
            const row = await store.get(id);
            return row && { ...row, version: `${row.status} ${(row as Stored).config}` };
          },
        },
      }),
      { counter: true },
    ],
    [
      'does not count a stop',
      'versions: every edit, stop and start makes another one',
      (store) => {
        const versions = new Map<string, { config: string; version: number }>();
        let last = 0;
        return {
          store: {
            ...membersOf(store),
            get: async (id) => {
              const row = await store.get(id);
              return row && { ...row, version: versions.get(id)?.version ?? 0 };
            },
          },
          write: async (id, { status, config }) => {
            if (versions.get(id)?.config !== config) versions.set(id, { config, version: (last += 1) });
            await store.put({ id, status, config });
          },
          remove: async (id) => {
            versions.delete(id);
            await store.delete(id);
          },
        };
      },
    ],
    [
      'gives a version of its own to every read',
      'versions: reading changes none',
      (store) => {
        let reads = 0;
        return {
          store: {
            ...membersOf(store),
            get: async (id) => {
              const row = await store.get(id);
              return row && { ...row, version: (reads += 1) };
            },
          },
        };
      },
    ],
    [
      'reads row and version in two steps',
      'versions: one stands for one configuration while many write',
      (store) => {
        let reads = 0;
        return {
          store: {
            ...membersOf(store),
            async get(id) {
              const version = (await store.get(id))?.version;
              if ((reads += 1) % 3 !== 0)
                await new Promise((resolve) => {
                  setImmediate(resolve);
                });
              const row = await store.get(id);
              return row && version !== undefined ? { ...row, version } : undefined;
            },
          },
          // Writers that give a reader room.
          write: async (id, { status, config }) => {
            await store.put({ id, status, config });
            await new Promise((resolve) => {
              setImmediate(resolve);
            });
          },
        };
      },
    ],
    [
      'says other versions in a batch',
      'versions: getVersions says what get says',
      (store) => ({
        store: {
          ...membersOf(store),
          getVersions: async (ids) =>
            new Map([...((await store.getVersions?.(ids)) ?? [])].map(([id, version]) => [id, `v${String(version)}`])),
        },
      }),
    ],
    [
      'loses its version on bookkeeping',
      'versions: bookkeeping changes none',
      (store) => ({
        bookkeep: async (id) => {
          await store.put((await store.get(id)) as Stored);
        },
      }),
      { bookkeeping: true },
    ],
    [
      'creates a row on touch',
      'versions: touch makes a new one and changes nothing else',
      (store) => ({
        touch: async (id) => {
          await store.put({ config: '', ...(await store.get(id)), id });
        },
      }),
      { touch: true },
    ],
    [
      'compares ids without case',
      'ids: an odd one is found again, and only under itself',
      (store) => ({
        write: (id, { status, config }) => store.put({ id: id.toLowerCase(), status, config }),
        store: {
          ...membersOf(store),
          get: async (id) => {
            const row = await store.get(id.toLowerCase());
            return row && { ...row, id };
          },
        },
      }),
    ],
    [
      'fails a batch because of one odd id',
      'ids: an odd one does not fail a batch for the others',
      (store) => ({
        store: {
          ...membersOf(store),
          getMany: async (ids) => {
            if (ids.some((id) => id.includes('/'))) throw new Error('invalid byte sequence');
            return membersOf(store).getMany(ids);
          },
        },
      }),
    ],
    [
      'trusts plain objects with ids',
      'ids: an odd one that is unknown is undefined, not an error',
      (store) => ({
        store: {
          ...membersOf(store),
          get: async (id) => Object.fromEntries((await store.list()).map((row) => [row.id, row]))[id],
        },
      }),
    ],
    [
      'fails a batch because of one invalid row',
      'invalid rows: one does not fail a batch for the others',
      (store) => {
        return {
          writeInvalid: async (id) => store.corrupt(id, 'invalid'),
          store: {
            ...membersOf(store),
            get: async (id) => {
              const row = await store.get(id);
              return row === undefined ? row : checked(row);
            },
            getMany: async (ids) => new Map([...((await store.getMany?.(ids)) ?? [])].map(([id, row]) => [id, checked(row)])),
          },
        };
      },
      { invalidRows: true },
    ],
    [
      'begins a subscription without a gap',
      'watch: a subscription begins with a gap',
      (store) => ({
        store: {
          ...membersOf(store),
          watch: async (listener) => membersOf(store).watch({ changed: (ids) => listener.changed(ids), gap() {} }),
        },
      }),
    ],
    [
      'tells of changes before they can be read',
      'watch: an edit, a stop, a delete and a creation are told, each once it can be read',
      (store) => ({
        write: async (id, { status, config }) => {
          store.changed(id);
          void Promise.resolve().then(async () => {
            await new Promise((resolve) => {
              setTimeout(resolve, 10);
            });
            store.hints = false;
            await store.put({ id, status, config });
          });
        },
      }),
    ],
    [
      'keeps telling a listener that left',
      'watch: several listeners all hear, and one that left hears no more',
      (store) => ({
        store: {
          ...membersOf(store),
          watch: async (listener) => {
            await store.watch?.(listener);
            return { async [Symbol.asyncDispose]() {} };
          },
        },
      }),
    ],
    [
      'says nothing of deletes',
      'watch: an edit, a stop, a delete and a creation are told, each once it can be read',
      (store) => ({
        remove: async (id) => {
          store.hints = false;
          await store.delete(id);
          store.hints = true;
        },
      }),
    ],
    [
      'subscribes again without a gap',
      'watch: after its connection was cut it subscribes again, with a gap',
      () => ({ interrupt: async () => {} }),
      { interruption: true },
    ],
  ];

  test.each(broken)('fails a store that %s', async (_name, caughtBy, change, capabilities) => {
    expect(await failures(subject(change), { ...ALL, ...capabilities }, caughtBy)).toEqual([caughtBy]);
  });
});
