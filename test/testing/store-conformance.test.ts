import type { ConnectionRecord, ConnectionStatus } from '../../src/contracts/record.js';
import type { ConnectionStore } from '../../src/contracts/store.js';
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
});
