import type { ConnectionRecord, ConnectionStore, StoreListener } from 'hydrant';
import type { StoreCapabilities, StoreUnderTest } from 'hydrant/testing';
import { turns, type CompleteStore } from '../complete-store.js';

/** The wrong members, which replace the right ones. */
export type Change = Partial<Omit<StoreUnderTest, 'store'>> & { readonly store?: Partial<ConnectionStore> };
/** A store that is right but for one thing. */
export interface BrokenStore {
  readonly name: string;
  /** The conformance test that must fail. */
  readonly caughtBy: string;
  readonly change: (good: CompleteStore) => Change;
  readonly capabilities?: StoreCapabilities;
}

export const reading = (change: (row: ConnectionRecord, good: CompleteStore) => unknown): BrokenStore['change'] => (good) => ({
  store: { get: async (id) => { const row = await good.get(id); return row && await change(row, good) as ConnectionRecord; } },
});
export const reads =
  (
    get: (good: CompleteStore, id: string, options?: { signal?: AbortSignal | undefined }) => Promise<unknown>,
  ): BrokenStore['change'] =>
  (good) => ({ store: { get: (id, options) => get(good, id, options) as Promise<ConnectionRecord | undefined> } });
export const many =
  (getMany: (good: CompleteStore, ids: readonly string[]) => Promise<ReadonlyMap<string, any>>): BrokenStore['change'] =>
  (good) => ({ store: { getMany: (ids) => getMany(good, ids) } });
export const versions =
  (getVersions: (good: CompleteStore, ids: readonly string[]) => Promise<ReadonlyMap<string, any>>): BrokenStore['change'] =>
  (good) => ({ store: { getVersions: (ids) => getVersions(good, ids) } });
export const mapped = <V>(map: ReadonlyMap<string, V>, change: (value: V, id: string) => unknown): Map<string, any> =>
  new Map([...map].map(([id, value]) => [id, change(value, id)]));
export const without = <V>(map: ReadonlyMap<string, V>, drop: (value: V, id: string) => boolean): Map<string, V> =>
  new Map([...map].filter(([id, value]) => !drop(value, id)));

/** Repeats its first answer for ever. */
export function kept<A extends unknown[], T>(read: (...args: A) => Promise<T>): (...args: A) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (...args) => {
    const key = JSON.stringify(args);
    const answer = answers.get(key) ?? read(...args);
    answers.set(key, answer);
    return answer;
  };
}
/** A call that arrives while the same one is under way gets its answer. */
export function shared<A extends unknown[], T>(read: (...args: A) => Promise<T>): (...args: A) => Promise<T> {
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
export const hearing =
  (change: (listener: StoreListener, nth: number) => Partial<StoreListener>): BrokenStore['change'] =>
  (good) => {
    let nth = 0;
    return {
      store: {
        watch: (listener) =>
          good.watch({ changed: (ids) => listener.changed(ids), gap: () => listener.gap(), ...change(listener, nth++) }),
      },
    };
  };
