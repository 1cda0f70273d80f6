import assert from 'node:assert/strict';
import { systemClock } from '../../clock.js';
import type { Awaitable, ConnectionRecord, ConnectionStatus } from '../../contracts/record.js';
import type { ConnectionStore } from '../../contracts/store.js';

/** The two functions of a test runner, such as vitest, jest or node:test. */
export interface TestRunner {
  describe(name: string, define: () => void): unknown;
  it(name: string, test: () => Promise<void>): unknown;
}

/** A store and how its rows are written. Every test makes one of its own and closes it. */
export interface StoreUnderTest {
  readonly store: ConnectionStore;
  /** Writes a whole row, new or not, and resolves when it is committed. `config` is the configuration. */
  write(id: string, row: { readonly status: ConnectionStatus; readonly config: string }): Promise<unknown>;
  /** Deletes a row and resolves when that is committed. */
  remove(id: string): Promise<unknown>;
  /** The `config` that was written, out of a record that was read. */
  configOf(record: ConnectionRecord): string;
  /** Writes a row that cannot be read as a record. With the capability `invalidRows`. */
  writeInvalid?(id: string): Promise<unknown>;
  /** Changes something about a row that is not configuration. With the capability `bookkeeping`. */
  bookkeep?(id: string): Promise<unknown>;
  /** Gives a row a new version and changes nothing else. Only a counter can. With the capability `touch`. */
  touch?(id: string): Promise<unknown>;
  /** Cuts the connection that hints come through. With the capability `interruption`. */
  interrupt?(): Promise<unknown>;
  close?(): Awaitable<unknown>;
}

/** Capabilities of the store beyond `get`. The suite fails if one is true and the store lacks it. */
export interface StoreCapabilities {
  readonly getMany?: boolean;
  readonly getVersions?: boolean;
  readonly watch?: boolean;
  /** The store can hold rows that are not valid records. */
  readonly invalidRows?: boolean;
  readonly bookkeeping?: boolean;
  readonly touch?: boolean;
  /** Versions come from a counter and never repeat. A hash gives the same row the same version. */
  readonly counter?: boolean;
  /** `watch` re-subscribes after its connection was cut. */
  readonly interruption?: boolean;
  /** Ids the tests may write. Default: letters and digits. */
  readonly makeId?: (n: number) => string;
  /** Whether any text without NUL can be an id. Default true, and false with `makeId`. */
  readonly anyId?: boolean;
  /** The longest delay of a hint, in milliseconds. Default 5 000. */
  readonly hintTimeoutMs?: number;
}

/** Passed to every part of the suite. */
export interface Suite {
  readonly capabilities: StoreCapabilities;
  readonly id: (n: number) => string;
  test(name: string, run: (subject: StoreUnderTest) => Promise<void>): void;
}

/** A member that a capability promises. */
export function promised<T>(member: T | undefined, name: string): T {
  assert.ok(member !== undefined, `the capabilities promise ${name}, but it is missing`);
  return member;
}

/** The record, which must be there. */
export async function existing(store: ConnectionStore, id: string): Promise<ConnectionRecord> {
  const record = await store.get(id);
  assert.ok(record !== undefined && record !== null, `get('${id}') found nothing, but the row exists`);
  return record;
}

export const versionOf = async (store: ConnectionStore, id: string): Promise<string> =>
  String((await existing(store, id)).version);

/** Waits until `holds`, as hints take their time. */
export async function eventually(what: string, holds: () => boolean, timeoutMs: number): Promise<void> {
  const deadline = systemClock.monotonic() + timeoutMs;
  while (!holds()) {
    assert.ok(systemClock.monotonic() < deadline, `not within ${timeoutMs} ms: ${what}`);
    await new Promise<void>((resolve) => { systemClock.setTimeout(resolve, 5, { ref: true }); });
  }
}
