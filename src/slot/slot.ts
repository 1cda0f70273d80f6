import type { ConnectionRecord } from '../contracts/record.js';
import type { SlotState, SlotWaiter, Supersession } from './state.js';

let generations = 0;

/**
 * One row in one version, and the instance made of it. A plain structure: `slots.ts` changes its state, `recency.ts`
 * its place in the order of use. Every live connection pays for each field, so there are few.
 */
export class Slot<R extends ConnectionRecord, I> {
  readonly record: R;
  /** That of the row as it was read: a store may hand out its own object, and change it. */
  readonly version: string;
  state: SlotState<R, I>;
  instance: I | undefined = undefined;
  leases = 0;
  /** When the newest read that confirmed the record was sent. Monotonic, milliseconds. */
  checkedAt: number;
  /** Monotonic, milliseconds. */
  hydratedAt = 0;
  /** When it was last taken while idle, or let go idle. Monotonic, milliseconds. */
  usedAt = 0;
  /** Its place in the order of use; see `recency.ts`. */
  usedOrder = 0;
  queuedOrder = 0;
  queueIndex = -1;

  constructor(record: R, checkedAt: number, superseded: Supersession | undefined = undefined) {
    this.record = record;
    this.version = String(record.version);
    this.checkedAt = checkedAt;
    this.state = { kind: 'pending', generation: generations++, waiters: new Set<SlotWaiter<R, I>>(), fallback: undefined, superseded };
  }

  get id(): string {
    return this.record.id;
  }
}
