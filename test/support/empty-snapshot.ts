import type { RegistrySnapshot } from 'hydrant';

/** The snapshot of a registry that has no connection. */
export const EMPTY_SNAPSHOT: RegistrySnapshot = {
  live: 0, idle: 0, leased: 0, hydrating: 0, queued: 0, draining: 0, reads: { inFlight: 0, abandoned: 0 },
  limits: { maxInstances: 1, maxConcurrentHydrations: 1, maxQueuedHydrations: 1 }, connections: [],
};
