import type { RegistryEvents, RegistrySnapshot } from 'hydrant';
import type { InspectedRegistry } from 'hydrant/inspector';

/** A registry whose snapshot and events the test sets. */
export class FakeRegistry implements InspectedRegistry {
  connections: RegistrySnapshot['connections'] = [];
  readonly #listeners = new Map<string, Set<(payload: any) => void>>();

  snapshot = (): RegistrySnapshot => ({
    live: 0, idle: 0, leased: 0, hydrating: 0, queued: 0, draining: 0, reads: { inFlight: 0, abandoned: 0 },
    limits: { maxInstances: 1, maxConcurrentHydrations: 1, maxQueuedHydrations: 1 }, connections: this.connections,
  });

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
