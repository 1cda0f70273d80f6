import type { Clock } from '../clock.js';
import type { DisposeReason } from '../contracts/factory.js';
import type { Awaitable, ConnectionRecord } from '../contracts/record.js';
import type { RegistryEvents } from '../events.js';
import { tearDown } from './disposal.js';
import { Effects } from './effects.js';
import { SlotLease } from './lease.js';
import { Recency } from './recency.js';
import type { Slot } from './slot.js';
import {
  DISPOSED, DISPOSING, LIVE,
  type CleanUp, type Creating, type Pending, type RunningCreate, type SlotState, type Supersession,
} from './state.js';

/** What the slots need to know of the registry they belong to. */
export interface SlotHost<R extends ConnectionRecord, I> {
  readonly clock: Clock;
  /** The monotonic clock, read at least once per turn of the event loop. */
  now(): number;
  readonly limits: {
    readonly maxInstances: number;
    readonly idleTimeoutMs: number;
    readonly drainTimeoutMs: number;
    readonly disposeTimeoutMs: number;
  };
  dispose(instance: I, record: R, supersession: Supersession): Awaitable<void>;
  emit<E extends keyof RegistryEvents>(event: E, payload: RegistryEvents[E]): void;
  /** `inUse`: found dead by a lease, rather than reported by the instance. */
  retired(slot: Slot<R, I>, cause: unknown, inUse: boolean): void;
  /** Whether an accepted use is about to ask for this connection: only asked while closing. */
  isAwaited(id: string): boolean;
  /** A slot is gone. */
  departed(slot: Slot<R, I>): void;
}

const IDLE_BATCH = 512;
const MINUTE_MS = 60_000;

/** All slots of a registry, and the only code that moves them from state to state. See `state.ts`. */
export class Slots<R extends ConnectionRecord, I> {
  /** The current slot of each connection: pending, creating or live, and never superseded. */
  readonly index = new Map<string, Slot<R, I>>();
  readonly effects = new Effects();
  /** Instances that are live or draining: what `maxInstances` counts. */
  instances = 0;
  /** From `close` on, what becomes idle goes unless somebody waits for it. */
  closing = false;

  readonly #host: SlotHost<R, I>;
  readonly #recency = new Recency<R, I>();
  readonly #departing = new Map<string, Set<Slot<R, I>>>();
  readonly #departureListeners = new Map<string, (() => void)[]>();
  readonly #drainControllers = new WeakMap<Slot<R, I>, AbortController>();
  #cancelIdle: (() => void) | undefined;
  #evictions = 0;
  #evictionsSince = -Infinity;

  constructor(host: SlotHost<R, I>) {
    this.#host = host;
  }

  /** Counts a lease on a live slot. */
  lease(slot: Slot<R, I>): SlotLease<R, I> {
    this.hold(slot);
    return new SlotLease(slot, this);
  }

  /** The lease of a hold that was counted already. */
  handOver(slot: Slot<R, I>): SlotLease<R, I> {
    return new SlotLease(slot, this);
  }

  /** Counts a lease that is handed over later, or kept by the registry itself. */
  hold(slot: Slot<R, I>): void {
    slot.leases += 1;
    if (slot.leases === 1) slot.usedAt = this.#host.now();
  }

  release(slot: Slot<R, I>): void {
    slot.leases -= 1;
    if (slot.leases > 0) return;
    slot.usedAt = this.#host.now();
    this.#recency.touch(slot);
    if (slot.queueIndex < 0 || slot.state.kind !== 'live' || this.instances > this.#host.limits.maxInstances || this.closing) {
      this.#idle(slot);
      this.effects.flush();
    }
  }

  /** Makes a new slot the current one of its connection. The one before must be superseded in the same step. */
  install(slot: Slot<R, I>): void {
    this.index.set(slot.id, slot);
  }

  /** A pending slot that was born superseded stands among the departing from the start. */
  installSuperseded(slot: Slot<R, I>): void {
    this.#depart(slot);
  }

  /** pending → creating */
  creating(slot: Slot<R, I>, state: Pending<R, I>, create: RunningCreate): Creating<R, I> {
    const { generation, waiters, fallback, superseded } = state;
    const creating: Creating<R, I> = { kind: 'creating', generation, waiters, fallback, superseded, create, startedAt: this.#host.clock.monotonic() };
    slot.state = creating;
    return creating;
  }

  /** creating → live, and at once on to draining or disposing if it was superseded meanwhile. */
  live(slot: Slot<R, I>, { waiters, fallback, superseded, create }: Creating<R, I>, instance: I): void {
    slot.instance = instance;
    slot.hydratedAt = slot.usedAt = this.#host.now();
    slot.state = create.cleanUps.length === 0 ? LIVE : { kind: 'live', cleanUps: create.cleanUps };
    this.instances += 1;
    for (const waiter of waiters) {
      this.hold(slot);
      waiter.deliver(slot);
    }
    if (fallback !== undefined) {
      if (superseded === undefined) this.supersede(fallback, 'replaced');
      this.release(fallback);
    }
    if (superseded !== undefined) this.supersede(slot, superseded.reason, superseded.cause);
    else if (slot.leases === 0) this.#cameUnused(slot);
    this.#evict();
  }

  /** creating → disposed, by way of the clean-ups that `create` registered. */
  failed(slot: Slot<R, I>, state: Creating<R, I> | { readonly kind: 'abandoned'; readonly create: RunningCreate }): void {
    this.#unindex(slot);
    this.#dispose(slot, state.create.cleanUps, undefined);
  }

  /** creating → disposed, with an instance that nobody may have. */
  discard(slot: Slot<R, I>, create: RunningCreate, instance: I, supersession: Supersession): void {
    this.#unindex(slot);
    slot.instance = instance;
    this.#dispose(slot, create.cleanUps, supersession);
  }

  /** pending → disposed: nothing was created. */
  cancel(slot: Slot<R, I>): void {
    this.#unindex(slot);
    this.#disposed(slot);
  }

  /** creating → abandoned: `create` runs on, for nobody. */
  abandon(slot: Slot<R, I>, { create }: Creating<R, I>, reason: DisposeReason, timedOut: boolean): void {
    this.#unindex(slot);
    slot.state = { kind: 'abandoned', create, reason, timedOut };
    this.#depart(slot);
    this.#notifyDeparture(slot.id);
  }

  /** Successors no longer wait for this slot's `create`. */
  noLongerAwaited(slot: Slot<R, I>): void {
    if (slot.state.kind === 'abandoned') slot.state.timedOut = true;
    this.#notifyDeparture(slot.id);
  }

  /**
   * The next use is not to get this slot: an idle instance is disposed of, a leased one drains, and a hydrate that
   * runs goes on for those who wait for it.
   */
  supersede(slot: Slot<R, I>, reason: DisposeReason, cause?: unknown): void {
    const { state } = slot;
    if (state.kind === 'pending' || state.kind === 'creating') {
      if (state.superseded !== undefined) return;
      state.superseded = { reason, cause };
      this.#unindex(slot);
      this.#depart(slot);
      const { fallback } = state;
      if (fallback !== undefined) {
        state.fallback = undefined;
        this.supersede(fallback, reason, cause);
        this.release(fallback);
      }
      if (state.kind === 'pending' && state.waiters.size === 0) this.cancel(slot);
    } else if (state.kind === 'live') {
      this.#unindex(slot);
      this.#recency.remove(slot);
      this.#depart(slot);
      if (slot.leases === 0) this.#dispose(slot, state.cleanUps, { reason, cause });
      else this.#drain(slot, state.cleanUps, { reason, cause });
    }
  }

  /** A hydrating slot hands its fallback on to its successor, which holds it already. */
  dropFallback(slot: Slot<R, I> | undefined): void {
    if (slot === undefined || (slot.state.kind !== 'pending' && slot.state.kind !== 'creating')) return;
    const { fallback } = slot.state;
    slot.state.fallback = undefined;
    if (fallback !== undefined) this.release(fallback);
  }

  /** `retire` of the instance's own context. */
  retire(slot: Slot<R, I>, cause: unknown): void {
    this.#retire(slot, cause, false);
  }

  /** `retire` of a lease. */
  retireLeased(slot: Slot<R, I>, cause: unknown): void {
    this.#retire(slot, cause, true);
  }

  #retire(slot: Slot<R, I>, cause: unknown, inUse: boolean): void {
    if (slot.state.kind !== 'live') return;
    this.#host.retired(slot, cause, inUse);
    this.supersede(slot, 'retired', cause);
    this.effects.flush();
  }

  /** The deadline of `close` has passed: what is leased is disposed of under its users. */
  expireAll(): void {
    for (const slot of this.index.values()) this.supersede(slot, 'closing');
    for (const slots of this.#departing.values()) for (const slot of slots) this.#expire(slot);
  }

  drainSignal(slot: Slot<R, I>): AbortSignal {
    let controller = this.#drainControllers.get(slot);
    if (controller === undefined) {
      controller = new AbortController();
      this.#drainControllers.set(slot, controller);
      if (slot.state.kind === 'disposing' || slot.state.kind === 'disposed') controller.abort(deadlinePassed(slot.id));
    }
    return controller.signal;
  }

  /** A clean-up that was registered after `create` had settled. What is gone already is cleaned up at once. */
  addCleanUp(slot: Slot<R, I>, cleanUp: CleanUp): void {
    const { state, id, version } = slot;
    if (state.kind === 'live' || state.kind === 'draining') {
      slot.state = { ...state, cleanUps: [...state.cleanUps, cleanUp] };
      return;
    }
    tearDown({
      clock: this.#host.clock,
      timeoutMs: this.#host.limits.disposeTimeoutMs,
      dispose: undefined,
      cleanUps: [cleanUp],
      onFailure: (error) => this.#host.emit('disposeFailed', { id, version, error }),
      onDone: () => {},
    });
  }

  /** Older slots of this connection that are not gone yet. */
  departing(id: string): Iterable<Slot<R, I>> {
    return this.#departing.get(id) ?? [];
  }

  *allDeparting(): Iterable<Slot<R, I>> {
    for (const slots of this.#departing.values()) yield* slots;
  }

  /** Calls back once when something about an older slot of this connection has changed. */
  onDeparture(id: string, listener: () => void): void {
    const listeners = this.#departureListeners.get(id);
    if (listeners === undefined) this.#departureListeners.set(id, [listener]);
    else listeners.push(listener);
  }

  get isEmpty(): boolean {
    return this.index.size === 0 && this.#departing.size === 0;
  }

  stopIdleClock(): void {
    this.#cancelIdle?.();
    this.#cancelIdle = undefined;
  }

  /** A live slot came to be without anybody to take it. */
  #cameUnused(slot: Slot<R, I>): void {
    this.#recency.touch(slot);
    this.#idle(slot);
  }

  #idle(slot: Slot<R, I>): void {
    const { state } = slot;
    if (state.kind === 'draining') {
      state.cancelDeadline();
      this.#dispose(slot, state.cleanUps, state);
    } else if (state.kind === 'live') {
      if (this.closing && !this.#host.isAwaited(slot.id)) {
        this.supersede(slot, 'closing');
        return;
      }
      this.#recency.add(slot);
      this.#evict();
      this.#startIdleClock(this.#host.limits.idleTimeoutMs);
    }
  }

  #drain(slot: Slot<R, I>, cleanUps: readonly CleanUp[], { reason, cause }: Supersession): void {
    const { clock, limits: { drainTimeoutMs } } = this.#host;
    const cancelDeadline = drainTimeoutMs === Infinity
      ? () => {}
      : clock.setTimeout(() => { this.#expire(slot); this.effects.flush(); }, drainTimeoutMs, { ref: true });
    slot.state = { kind: 'draining', cleanUps, reason, cause, cancelDeadline };
  }

  /** A drain deadline has passed. */
  #expire(slot: Slot<R, I>): void {
    const { state } = slot;
    if (state.kind !== 'draining') return;
    state.cancelDeadline();
    this.#dispose(slot, state.cleanUps, state);
  }

  /**
   * live or draining → disposing → disposed; also what a failed `create` left. `supersession` is undefined where there
   * is no instance.
   */
  #dispose(slot: Slot<R, I>, cleanUps: readonly CleanUp[], supersession: Supersession | undefined): void {
    if (slot.state.kind === 'live' || slot.state.kind === 'draining') this.instances -= 1;
    const { id, version, record, leases } = slot;
    const instance = slot.instance as I;
    slot.instance = undefined;
    slot.state = DISPOSING;
    this.#depart(slot);
    this.#notifyDeparture(id);
    const { clock, limits } = this.#host;
    this.effects.add(() => {
      if (leases > 0) this.#drainControllers.get(slot)?.abort(deadlinePassed(id));
      tearDown({
        clock,
        timeoutMs: limits.disposeTimeoutMs,
        dispose: supersession === undefined ? undefined : () => this.#host.dispose(instance, record, supersession),
        cleanUps,
        onFailure: (error) => this.#host.emit('disposeFailed', { id, version, error }),
        onDone: () => {
          if (supersession !== undefined) {
            this.#host.emit('disposed', { id, version, reason: supersession.reason, abandonedLeases: leases });
          }
          this.#disposed(slot);
          this.effects.flush();
        },
      });
    });
  }

  #disposed(slot: Slot<R, I>): void {
    slot.state = DISPOSED;
    const slots = this.#departing.get(slot.id);
    slots?.delete(slot);
    if (slots?.size === 0) this.#departing.delete(slot.id);
    this.#notifyDeparture(slot.id);
    this.#host.departed(slot);
  }

  #notifyDeparture(id: string): void {
    const listeners = this.#departureListeners.get(id);
    if (listeners === undefined) return;
    this.#departureListeners.delete(id);
    for (const listener of listeners) listener();
  }

  #depart(slot: Slot<R, I>): void {
    const slots = this.#departing.get(slot.id);
    if (slots === undefined) this.#departing.set(slot.id, new Set([slot]));
    else slots.add(slot);
  }

  /** By identity, never by id. */
  #unindex(slot: Slot<R, I>): void {
    if (this.index.get(slot.id) === slot) this.index.delete(slot.id);
  }

  #evict(): void {
    const { maxInstances } = this.#host.limits;
    while (this.instances > maxInstances) {
      const victim = this.#recency.leastRecentlyUsed();
      if (victim === undefined) return;
      this.#countEviction(maxInstances);
      this.supersede(victim, 'evicted');
    }
  }

  #countEviction(maxInstances: number): void {
    const now = this.#host.now();
    if (now - this.#evictionsSince >= MINUTE_MS) {
      this.#evictionsSince = now;
      this.#evictions = 0;
    }
    this.#evictions += 1;
    if (this.#evictions !== maxInstances + 1) return;
    const evictionsPerMinute = this.#evictions;
    this.#host.emit('thrashing', { maxInstances, evictionsPerMinute });
  }

  /** One timer for all: it stands at the earliest moment at which an instance can have been idle for long enough. */
  #startIdleClock(ms: number): void {
    if (this.#cancelIdle !== undefined || this.#host.limits.idleTimeoutMs === Infinity) return;
    this.#cancelIdle = this.#host.clock.setTimeout(() => {
      this.#cancelIdle = undefined;
      this.#disposeIdle();
      this.effects.flush();
    }, ms, { ref: false });
  }

  #disposeIdle(): void {
    const now = this.#host.clock.monotonic();
    const { idleTimeoutMs } = this.#host.limits;
    for (let left = IDLE_BATCH; left > 0; left -= 1) {
      const slot = this.#recency.leastRecentlyUsed(IDLE_BATCH);
      if (slot === undefined) return;
      if (!this.#recency.isFirst(slot)) break;
      const remaining = slot.usedAt + idleTimeoutMs - now;
      if (remaining > 0) {
        this.#startIdleClock(remaining);
        return;
      }
      this.supersede(slot, 'idle');
    }
    // More than one batch is due: let the event loop breathe.
    this.#startIdleClock(1);
  }
}

function deadlinePassed(id: string): Error {
  return new Error(`The instance of connection '${id}' is disposed of although this lease is held: its drain deadline has passed`);
}

export type { SlotState };
