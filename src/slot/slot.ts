import type { InstanceFactory } from '../contracts/factory.js';
import type { ConnectionRecord } from '../contracts/record.js';
import type { SlotState } from './state.js';

/**
 * One row in one version, and the instance made of it. A plain structure: `slots.ts` changes its state, `recency.ts`
 * its place in the order of use. Every live connection pays for each field, so there are few.
 */
export class Slot<R extends ConnectionRecord, I> {
  readonly record: R;
  /** That of the row's platform. */
  readonly factory: InstanceFactory<R, I>;
  /** That of the row as it was read: a store may hand out its own object, and change it. */
  readonly version: string;
  state: SlotState<R, I>;
  instance: I | undefined = undefined;
  /** What the instance was made with. */
  secrets: unknown = undefined;
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

  constructor(record: R, factory: InstanceFactory<R, I>, checkedAt: number, outdated = false) {
    this.state = { kind: 'seen', holders: 0, outdated };
    this.record = record;
    this.factory = factory;
    this.version = String(record.version);
    this.checkedAt = checkedAt;
  }

  get id(): string {
    return this.record.id;
  }
}
