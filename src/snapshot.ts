import type { ConnectionRecord } from './contracts/record.js';
import { isHydrating, type Slot } from './slot/state.js';
import type { Slots } from './slot/slots.js';

/** One instance, or one that is being created. */
export interface ConnectionSnapshot {
  readonly id: string;
  /** `'hydrating'`, `'idle'`, `'leased'`, `'draining'` or `'disposing'`. */
  readonly state: string;
  readonly version: string;
  readonly leases: number;
  /** The time since the instance was ready, in milliseconds. Absent before. */
  readonly ageMs?: number;
  /** The time since it was last idle, in milliseconds, if it is leased. A large number may mean a leaked lease. */
  readonly leasedForMs?: number;
  /**
   * The time since the newest read that confirmed its row was sent, in milliseconds. A use that needs a fresher row does not
   * get the instance without a read. Absent before the instance is ready.
   */
  readonly checkedAgoMs?: number;
}

/** The caps of the counts. */
export interface RegistryLimits {
  readonly maxInstances: number;
  readonly maxConcurrentHydrations: number;
  readonly maxQueuedHydrations: number;
}

/** Queries of the store. */
export interface ReadCounts {
  /** Sent, and still waiting for an answer. */
  readonly inFlight: number;
  /**
   * Given up after `storeTimeoutMs`, and not settled by the store since. If the number keeps growing, the store or its
   * driver never ends queries whose connection is lost: give the driver a time-out of its own.
   */
  readonly abandoned: number;
}

/** The state of a registry at one moment, as plain JSON. */
export interface RegistrySnapshot {
  /** Idle and leased. */
  readonly live: number;
  readonly idle: number;
  readonly leased: number;
  /** Waiting for a predecessor or a permit, or being created. */
  readonly hydrating: number;
  /** Waiting for a permit. */
  readonly queued: number;
  readonly draining: number;
  readonly reads: ReadCounts;
  readonly limits: RegistryLimits;
  readonly connections: readonly ConnectionSnapshot[];
}

/** The current slot of a connection, otherwise the newest of its departing ones. */
export function inspect<R extends ConnectionRecord, I>(
  slots: Slots<R, I>,
  id: string,
  now: number,
): ConnectionSnapshot | undefined {
  const current = slots.index.get(id);
  const shown = current === undefined ? undefined : rowOf(current, now);
  if (shown !== undefined) return shown;
  let newest: Slot<R, I> | undefined;
  for (const slot of slots.departing.of(id)) newest = slot;
  return newest === undefined ? undefined : rowOf(newest, now);
}

function rowOf<R extends ConnectionRecord, I>(
  slot: Slot<R, I>,
  now: number,
  leases = slot.leases,
): (ConnectionSnapshot & { readonly state: Phase }) | undefined {
  const state = phaseOf(slot, leases);
  if (state === undefined) return undefined;
  return {
    id: slot.id,
    state,
    version: slot.version,
    leases,
    ...(state === 'hydrating' ? {} : { ageMs: Math.max(0, now - slot.hydratedAt), checkedAgoMs: now - slot.checkedAt }),
    ...(leases > 0 ? { leasedForMs: Math.max(0, now - slot.usedAt) } : {}),
  };
}

/** Costs a pass over everything: for an operator's page, not for every request. */
export function takeSnapshot<R extends ConnectionRecord, I>(
  slots: Slots<R, I>, queued: number, reads: ReadCounts,
  { maxInstances, maxConcurrentHydrations, maxQueuedHydrations }: RegistryLimits, now: number,
): RegistrySnapshot {
  const counts = { idle: 0, leased: 0, hydrating: 0, draining: 0, disposing: 0 };
  const connections: ConnectionSnapshot[] = [];
  const add = (slot: Slot<R, I>, leases?: number): void => {
    const row = rowOf(slot, now, leases);
    if (row === undefined) return;
    counts[row.state] += 1;
    connections.push(row);
    // With `keepLastGood`: it serves on while its successor hydrates, which holds it by a lease of its own.
    const fallback = isHydrating(slot.state) ? slot.state.fallback : undefined;
    if (fallback !== undefined) add(fallback, fallback.leases - 1);
  };
  for (const slot of slots.index.values()) add(slot);
  for (const slot of slots.departing.all()) add(slot);
  const { idle, leased, hydrating, draining } = counts;
  return {
    live: idle + leased, idle, leased, hydrating, queued, draining, reads,
    limits: { maxInstances, maxConcurrentHydrations, maxQueuedHydrations },
    connections,
  };
}

type Phase = 'idle' | 'leased' | 'hydrating' | 'draining' | 'disposing';

function phaseOf<R extends ConnectionRecord, I>({ state }: Slot<R, I>, leases: number): Phase | undefined {
  switch (state.kind) {
    case 'seen': return undefined;
    case 'pending': case 'creating': case 'abandoned': return 'hydrating';
    case 'live': return leases > 0 ? 'leased' : 'idle';
    case 'draining': return 'draining';
    case 'disposing': case 'disposed': return 'disposing';
  }
}
