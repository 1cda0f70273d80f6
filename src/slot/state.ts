import type { DisposeReason, InstanceFactory } from '../contracts/factory.js';
import type { Awaitable, ConnectionRecord } from '../contracts/record.js';
import type { ConnectionError } from '../errors.js';

/*
 * One slot is one row, in one version, on its way to one instance, and then that instance's life.
 *
 *   seen ──(a use)──▶ pending; disposed of when no webhook holds it
 *
 *   pending ──▶ creating ──▶ live ──▶ draining ──▶ disposing ──▶ disposed
 *      │           │  │        └────(no lease)───────▲              ▲
 *      │           │  └──▶ abandoned ──(settles)─────┘              │
 *      │           └──────(fails)───────────────────────────────────┤
 *      └──────────(everyone left)───────────────────────────────────┘
 *
 * Invariants, kept by `slots.ts`, `beginning.ts` and `ending.ts`, the only code that moves a slot from state to state:
 *
 * - At most one slot of an id is in the index. It is pending, creating or live, and not superseded.
 * - A slot leaves the index by identity, never by id: an old slot's end cannot touch its successor.
 * - Every slot that is out of the index and not disposed is among the departing. The exception is a live slot that a
 *   hydrating slot holds as its fallback (`keepLastGood`).
 * - A use counts in `leases` as soon as it is entitled to the instance, before its promise settles.
 * - A live slot is disposed of only without a lease; a draining one after its last lease or its deadline.
 * - No kind of state is entered twice. After an `await`, code only needs to check the current kind.
 */

/** A clean-up registered by `create`. */
export type CleanUp = () => Awaitable<void>;

/** Why no later use gets the instance of a slot. Eviction and the idle time-out supersede too. */
export interface Supersession {
  readonly reason: DisposeReason;
  readonly cause: unknown;
}

/** A use that will get a lease when its slot is live. */
export interface SlotWaiter<R extends ConnectionRecord, I> {
  deliver(slot: Slot<R, I>): void;
  fail(error: ConnectionError): void;
}

/** Our side of the context of a running `create`. */
export interface RunningCreate {
  readonly cleanUps: readonly CleanUp[];
  /** Set when the instance was reported dead before `create` returned it. */
  readonly retired: { readonly cause: unknown } | undefined;
  abort(reason: unknown): void;
}

/** A row that was read, before an instance of it is created. */
interface Planned {
  /**
   * An instance of this connection was disposed of after the row was read. Under 'drain-first' the row must be read again,
   * because `dispose` may have written to it.
   */
  readBeforeDispose: boolean;
}

/** Its row is known, but no use is entitled to an instance yet. Webhooks that are being authenticated hold it. */
export interface Seen extends Planned { readonly kind: 'seen'; holders: number }

interface Hydrating<R extends ConnectionRecord, I> {
  /** Rises with every slot, and so tells the older of two. */
  readonly generation: number;
  readonly waiters: Set<SlotWaiter<R, I>>;
  /** With `keepLastGood`: the instance that keeps serving if this one fails. This slot holds a lease on it. */
  fallback: Slot<R, I> | undefined;
  /** Set when the slot has left the index. Then it serves only its own waiters. */
  superseded: Supersession | undefined;
}

/** Waits for a predecessor to go or for a permit. */
export interface Pending<R extends ConnectionRecord, I> extends Hydrating<R, I>, Planned {
  readonly kind: 'pending';
  /** Leaves the queue for a permit. */
  leave: (() => void) | undefined;
}

/** `create` is running. */
export interface Creating<R extends ConnectionRecord, I> extends Hydrating<R, I> {
  readonly kind: 'creating';
  readonly create: RunningCreate;
  readonly startedAt: number;
}

/** `create` is still running, and its instance will be discarded. */
export interface Abandoned {
  readonly kind: 'abandoned';
  readonly create: RunningCreate;
  readonly reason: DisposeReason;
  /** Its hydration timeout has passed: successors no longer wait for it. */
  timedOut: boolean;
}

/** Leased when `slot.leases > 0`, idle otherwise. */
export interface Live {
  readonly kind: 'live';
  readonly cleanUps: readonly CleanUp[];
  /** Failures that counted against its version when it came to life; see `backoff.ts`. */
  readonly failures: number;
}

/** Superseded and still leased. */
export interface Draining extends Supersession {
  readonly kind: 'draining';
  readonly cleanUps: readonly CleanUp[];
  readonly cancelDeadline: () => void;
}

/** `dispose` and the clean-ups are running. */
export interface Disposing { readonly kind: 'disposing' }

export interface Disposed { readonly kind: 'disposed' }

/** Every state a slot can be in; each carries only what it needs. */
export type SlotState<R extends ConnectionRecord, I> =
  | Seen | Pending<R, I> | Creating<R, I> | Abandoned | Live | Draining | Disposing | Disposed;

/** Whether a slot is on its way to an instance, and has waiters. */
export function isHydrating<R extends ConnectionRecord, I>(state: SlotState<R, I>): state is Pending<R, I> | Creating<R, I> {
  return state.kind === 'pending' || state.kind === 'creating';
}

/** Shared, because most instances register no clean-up and every live connection pays for its state. */
export const LIVE: Live = Object.freeze({ kind: 'live', cleanUps: Object.freeze([]), failures: 0 });
export const DISPOSING: Disposing = Object.freeze({ kind: 'disposing' });
export const DISPOSED: Disposed = Object.freeze({ kind: 'disposed' });

/**
 * One row in one version, and the instance made of it. A plain structure. Every live connection pays for each field, so
 * there are few.
 */
export class Slot<R extends ConnectionRecord, I> {
  readonly record: R;
  /** The factory of the row's platform. */
  readonly factory: InstanceFactory<R, I>;
  /** The version of the row as it was read. A copy, because a store may change the object that it returned. */
  readonly version: string;
  state: SlotState<R, I>;
  instance: I | undefined = undefined;
  /** The secrets that the instance was made with. */
  secrets: unknown = undefined;
  leases = 0;
  /** When the newest read that confirmed the record was sent. Monotonic, milliseconds. */
  checkedAt: number;
  /** Monotonic, milliseconds. */
  hydratedAt = 0;
  /** When it last stopped or started being idle. Monotonic, milliseconds. */
  usedAt = 0;
  /** Its place in the order of use; see `recency.ts`. */
  usedOrder = 0;
  queuedOrder = 0;
  queueIndex = -1;

  constructor(record: R, factory: InstanceFactory<R, I>, checkedAt: number, readBeforeDispose: boolean) {
    this.state = { kind: 'seen', holders: 0, readBeforeDispose };
    this.record = record;
    this.factory = factory;
    this.version = String(record.version);
    this.checkedAt = checkedAt;
  }

  get id(): string {
    return this.record.id;
  }
}
