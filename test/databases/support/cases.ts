import { tableStore, type ConnectionStatus, type ConnectionStore } from 'hydrant';
import { storeConformance, type StoreCapabilities, type StoreUnderTest } from 'hydrant/testing';
import { describe, test } from 'vitest';

/** One row of the table that `run.mjs` prints. */
export interface Case {
  readonly client: string;
  readonly engine: string;
  readonly store: string;
  readonly version: string;
}

/** Runs the conformance suite under a name that `run.mjs` reads back. */
export function conformance(
  { client, engine, store, version }: Case,
  makeStore: () => StoreUnderTest | Promise<StoreUnderTest>,
  capabilities: StoreCapabilities,
): void {
  describe([client, engine, store, version].join(' | '), () => storeConformance({ describe, it: test }, makeStore, capabilities));
}

/** How the tests write the table `bots`, whichever client reads it. */
export interface Writer {
  write(id: string, row: { readonly status: ConnectionStatus; readonly config: string }): Promise<unknown>;
  remove(id: string): Promise<unknown>;
  bookkeep(id: string): Promise<unknown>;
  clear(): Promise<unknown>;
}

/** A row of `bots`, by whichever names a client gives its columns. */
interface AnyBot { readonly token: string; readonly rev: string; readonly paused_at?: unknown; readonly pausedAt?: unknown }

const statusOf = (row: AnyBot): ConnectionStatus => ((row.paused_at ?? row.pausedAt ?? null) === null ? 'active' : 'stopped');

/** The store of a recipe, and the same rows with a column as their version. */
export function tableStoreCases(
  { client, engine }: Pick<Case, 'client' | 'engine'>, writer: Writer,
  { store, read, id }: { store: ConnectionStore; read(ids: readonly string[]): unknown; id?: (row: any) => string },
  capabilities: StoreCapabilities = {},
): void {
  const versioned = tableStore<AnyBot>({ read: read as never, ...(id && { id }), status: statusOf, version: (row) => row.rev });
  for (const { version, subject } of [
    { version: 'hash of the row', subject: store },
    { version: 'a column', subject: versioned },
  ] as const) {
    conformance({ client, engine, store: 'tableStore', version }, async () => {
      await writer.clear();
      return {
        store: subject,
        write: writer.write,
        remove: writer.remove,
        bookkeep: writer.bookkeep,
        configOf: (record) => (record as unknown as AnyBot).token,
      };
    }, { getMany: true, bookkeeping: true, counter: version === 'a column', ...capabilities });
  }
}
