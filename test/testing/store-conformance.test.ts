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
  test('passes a correct store', async () => {
    expect(await failures(subject())).toEqual([]);
  });

  test('passes one with a hash of the row as its version', async () => {
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

  test('fails one that lacks a promised capability', async () => {
    const bare = subject((store) => ({ store: { get: (id) => store.get(id) } }));
    expect(await failures(bare, {})).toEqual([]);
    for (const capability of ['getMany', 'getVersions', 'watch', 'invalidRows', 'bookkeeping', 'touch'] as const) {
      expect(await failures(bare, { [capability]: true, hintTimeoutMs: 20 }), capability).not.toEqual([]);
    }
  });

  interface Broken {
    readonly name: string;
    readonly caughtBy: string;
    readonly change: NonNullable<Parameters<typeof subject>[0]>;
    readonly capabilities?: StoreCapabilities;
  }
  const broken: Broken[] = [
    {
      name: 'answers null for a missing id',
      caughtBy: 'get: an unknown id is undefined',
      change: (store) => ({ store: { ...membersOf(store), get: async (id) => (await store.get(id)) ?? (null as never) } }),
    },
    {
      name: 'throws for a missing id',
      caughtBy: 'get: an unknown id is undefined',
      change: (store) => ({
        store: { ...membersOf(store), get: async (id) => (await store.get(id)) ?? Promise.reject(new Error('no rows')) },
      }),
    },
    {
      name: 'puts missing ids into the map',
      caughtBy: 'getMany: returns the known ids only',
      change: (store) => ({
        store: {
          ...membersOf(store),
          getMany: async (ids) =>
            new Map(await Promise.all(ids.map(async (id) => [id, (await store.get(id)) as ConnectionRecord] as const))),
        },
      }),
    },
    {
      name: 'puts versions of missing ids into the map',
      caughtBy: 'versions: getVersions agrees with get',
      change: (store) => ({
        store: {
          ...membersOf(store),
          getVersions: async (ids) =>
            new Map(await Promise.all(ids.map(async (id) => [id, (await store.get(id))?.version as never] as const))),
        },
      }),
    },
    {
      name: 'keeps what it read',
      caughtBy: 'get: a read that begins after a write was committed sees it',
      change: (store) => {
        const kept = new Map<string, Promise<ConnectionRecord | undefined>>();
        return {
          store: {
            ...membersOf(store),
            get: (id) => kept.get(id) ?? (kept.set(id, store.get(id)).get(id) as Promise<ConnectionRecord | undefined>),
          },
        };
      },
    },
    {
      name: 'reads a replica that lags by a write',
      caughtBy: 'get: a read that begins after a write was committed sees it',
      change: (store) => {
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
    },
    {
      name: 'shares a read that began earlier',
      caughtBy: 'get: a read that begins after a write was committed sees it',
      change: (store) => {
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
    },
    {
      name: 'counts versions per row, from 1',
      caughtBy: 'versions: equal versions mean equal configuration and status, also after delete and recreate',
      change: (store) => {
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
    },
    {
      name: 'takes a coarse updated_at for a version',
      caughtBy: 'versions: every edit, stop and start makes a new one',
      change: (store) => ({
        store: {
          ...membersOf(store),
          get: async (id) => {
            const row = await store.get(id);
            return row && { ...row, version: Math.floor(Number(row.version) / 4) };
          },
        },
      }),
    },
    {
      name: 'says that a hash of the row is a counter',
      caughtBy: 'versions: a counter never repeats one, not even after delete and recreate',
      change: (store) => ({
        store: {
          ...membersOf(store),
          get: async (id) => {
            const row = await store.get(id);
            return row && { ...row, version: `${row.status} ${(row as Stored).config}` };
          },
        },
      }),
      capabilities: { counter: true },
    },
    {
      name: 'does not count a stop',
      caughtBy: 'versions: every edit, stop and start makes a new one',
      change: (store) => {
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
    },
    {
      name: 'gives a version of its own to every read',
      caughtBy: 'versions: reading does not change them',
      change: (store) => {
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
    },
    {
      name: 'reads row and version in two steps',
      caughtBy: 'versions: one version means one configuration while many write',
      change: (store) => {
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
    },
    {
      name: 'says other versions in a batch',
      caughtBy: 'versions: getVersions agrees with get',
      change: (store) => ({
        store: {
          ...membersOf(store),
          getVersions: async (ids) =>
            new Map([...((await store.getVersions?.(ids)) ?? [])].map(([id, version]) => [id, `v${String(version)}`])),
        },
      }),
    },
    {
      name: 'loses its version on bookkeeping',
      caughtBy: 'versions: bookkeeping does not change them',
      change: (store) => ({
        bookkeep: async (id) => {
          await store.put((await store.get(id)) as Stored);
        },
      }),
      capabilities: { bookkeeping: true },
    },
    {
      name: 'creates a row on touch',
      caughtBy: 'versions: touch makes a new version and changes nothing else',
      change: (store) => ({
        touch: async (id) => {
          await store.put({ config: '', ...(await store.get(id)), id });
        },
      }),
      capabilities: { touch: true },
    },
    {
      name: 'compares ids without case',
      caughtBy: 'ids: an odd id finds its own row and no other',
      change: (store) => ({
        write: (id, { status, config }) => store.put({ id: id.toLowerCase(), status, config }),
        store: {
          ...membersOf(store),
          get: async (id) => {
            const row = await store.get(id.toLowerCase());
            return row && { ...row, id };
          },
        },
      }),
    },
    {
      name: 'fails a batch because of one odd id',
      caughtBy: 'ids: an odd id does not fail the other ids of a batch',
      change: (store) => ({
        store: {
          ...membersOf(store),
          getMany: async (ids) => {
            if (ids.some((id) => id.includes('/'))) throw new Error('invalid byte sequence');
            return membersOf(store).getMany(ids);
          },
        },
      }),
    },
    {
      name: 'trusts plain objects with ids',
      caughtBy: 'ids: an unknown odd id is undefined, not an error',
      change: (store) => ({
        store: {
          ...membersOf(store),
          get: async (id) => Object.fromEntries((await store.list()).map((row) => [row.id, row]))[id],
        },
      }),
    },
    {
      name: 'fails a batch because of one invalid row',
      caughtBy: 'invalid rows: one does not fail the other rows of a batch',
      change: (store) => {
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
      capabilities: { invalidRows: true },
    },
    {
      name: 'begins a subscription without a gap',
      caughtBy: 'watch: a subscription begins with a gap',
      change: (store) => ({
        store: {
          ...membersOf(store),
          watch: async (listener) => membersOf(store).watch({ changed: (ids) => listener.changed(ids), gap() {} }),
        },
      }),
    },
    {
      name: 'tells of changes before they can be read',
      caughtBy: 'watch: reports an edit, a stop, a delete and a creation, each after it can be read',
      change: (store) => ({
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
    },
    {
      name: 'keeps telling a listener that left',
      caughtBy: 'watch: every listener is called, and a removed one no longer',
      change: (store) => ({
        store: {
          ...membersOf(store),
          watch: async (listener) => {
            await store.watch?.(listener);
            return { async [Symbol.asyncDispose]() {} };
          },
        },
      }),
    },
    {
      name: 'says nothing of deletes',
      caughtBy: 'watch: reports an edit, a stop, a delete and a creation, each after it can be read',
      change: (store) => ({
        remove: async (id) => {
          store.hints = false;
          await store.delete(id);
          store.hints = true;
        },
      }),
    },
    {
      name: 'subscribes again without a gap',
      caughtBy: 'watch: after its connection was cut, it subscribes again, with a gap',
      change: () => ({ interrupt: async () => {} }),
      capabilities: { interruption: true },
    },
  ];

  test.each(broken)('fails a store that $name', async ({ caughtBy, change, capabilities }) => {
    expect(await failures(subject(change), { ...ALL, ...capabilities }, caughtBy)).toEqual([caughtBy]);
  });
});
