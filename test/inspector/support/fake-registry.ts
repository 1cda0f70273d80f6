import type { RegistryEvents, RegistrySnapshot } from 'hydrant';
import { createInspector, type InspectedRegistry, type Inspector } from 'hydrant/inspector';
import { ManualClock } from 'hydrant/testing';
import { EMPTY_SNAPSHOT } from '../../support/empty-snapshot.js';

/** A registry whose snapshot and events the test sets. */
export class FakeRegistry implements InspectedRegistry {
  connections: RegistrySnapshot['connections'] = [];
  readonly #listeners = new Map<string, Set<(payload: any) => void>>();

  snapshot = (): RegistrySnapshot => ({ ...EMPTY_SNAPSHOT, connections: this.connections });

  invalidate: (id: string) => void = () => {};

  on<E extends keyof RegistryEvents>(event: E, listener: (payload: RegistryEvents[E]) => void): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  tell<E extends keyof RegistryEvents>(event: E, payload: RegistryEvents[E]): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(payload);
  }

  /** How many listen to anything. */
  get listeners(): number {
    return [...this.#listeners.values()].reduce((sum, listeners) => sum + listeners.size, 0);
  }
}

/** An inspector that admits everyone, of a registry that the test tells what to show. */
export function inspectorOfAFake(): { clock: ManualClock; registry: FakeRegistry; inspector: Inspector } {
  const clock = new ManualClock();
  const registry = new FakeRegistry();
  return { clock, registry, inspector: createInspector(registry, { authorize: () => true, clock }) };
}
