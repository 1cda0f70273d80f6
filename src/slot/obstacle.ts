import type { ConnectionRecord } from '../contracts/record.js';
import type { Environment } from '../environment.js';
import type { Slot } from './state.js';
import type { Slots } from './slots.js';

/** Says what a caller that gave up was waiting for, so that its error names the likely cause. */
export function obstacle<R extends ConnectionRecord, I>(
  env: Environment<R, I>,
  slots: Slots<R, I>,
  slot: Slot<R, I> | undefined,
): string {
  if (slot === undefined) return 'its row was still being read';
  if (slot.state.kind === 'creating') return 'create, or secrets, had not settled';
  const before = env.isDrainFirst(slot.factory) ? [...slots.departing.of(slot.id)].filter((other) => other !== slot) : [];
  const leased = before.filter((other) => other.leases > 0);
  if (leased.length > 0) {
    const leases = leased.reduce((sum, other) => sum + other.leases, 0);
    const heldMs = env.clock.monotonic() - Math.min(...leased.map((other) => other.usedAt));
    return (
      `under 'drain-first' the instance before it must go, and ${leases === 1 ? '1 lease' : `${leases} leases`} on it `
      + `kept it in use for ${Math.ceil(Math.max(0, heldMs))} ms. A use that is awaited inside a use, handler or lease of the `
      + 'same connection waits for itself once the row has changed: end the outer one first'
    );
  }
  if (before.length > 0) return "under 'drain-first' the instance before it must go, and had not settled";
  return 'it was waiting for a permit (maxConcurrentHydrations) or for an aborted create to settle';
}
