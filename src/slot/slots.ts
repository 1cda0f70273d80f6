import type { Backoff } from '../backoff.js';
import type { DisposeReason } from '../contracts/factory.js';
import type { ConnectionRecord } from '../contracts/record.js';
import { Beginning } from './beginning.js';
import { Departing } from './departing.js';
import type { DrainSignals } from './drain-signals.js';
import { Ending } from './ending.js';
import type { Environment } from '../environment.js';
import { Eviction } from './eviction.js';
import { SlotLease } from './lease.js';
import { SupersessionSignals } from './supersession-signals.js';
import { isHydrating, LIVE, type CleanUp, type Creating, type Pending, type Slot, type Supersession } from './state.js';

/** All slots of a registry, and their leases. See `state.ts`. */
export class Slots<R extends ConnectionRecord, I> {
  /** The current slot of each connection: seen, pending, creating or live, and never superseded. */
  readonly index = new Map<string, Slot<R, I>>();
  readonly supersessionSignals: SupersessionSignals<R, I>;
  /** Slots that have no instance yet. */
  readonly beginning: Beginning<R, I>;
  /** Slots whose instance ends. */
  readonly ending: Ending<R, I>;
  readonly drainSignals: DrainSignals<R, I>;
  /** Live and draining instances. Above `maxInstances`, idle ones are evicted. */
  instances = 0;
  /** Instances that were disposed of in use since `close` was called. */
  readonly disposedInUse: { readonly id: string; readonly leases: number }[] = [];

  readonly #env: Environment<R, I>;
  readonly #backoff: Backoff;
  readonly #eviction: Eviction<R, I>;
  /** Set by `close`: whether an accepted use waits for a read of this id. */
  #isAwaited: ((id: string) => boolean) | undefined;
  readonly #departing = new Departing<R, I>(this.index);
  /** The slots that have left the index and are not disposed yet. */
  readonly departing: Pick<Departing<R, I>, 'of' | 'all' | 'onProgress'> = this.#departing;

  /** @param onInstanceDisposed - called when an instance of this connection has been disposed of */
  constructor(env: Environment<R, I>, backoff: Backoff, onInstanceDisposed: (id: string) => void) {
    this.#env = env;
    this.supersessionSignals = new SupersessionSignals<R, I>(env);
    this.ending = new Ending<R, I>(env, this.index, this.#departing, this.supersessionSignals, onInstanceDisposed);
    this.drainSignals = this.ending.drainSignals;
    this.beginning = new Beginning<R, I>(env.clock, this.#departing, this.ending, this.supersessionSignals);
    this.#backoff = backoff;
    this.#eviction = new Eviction<R, I>(env, () => this.instances, (slot, reason) => this.supersede(slot, reason));
  }

  /** Counts a lease on a live slot. */
  lease(slot: Slot<R, I>, now: number): SlotLease<R, I> {
    this.hold(slot, now);
    return new SlotLease(slot, this);
  }

  /** The lease of a hold that is already counted. */
  handOver(slot: Slot<R, I>): SlotLease<R, I> {
    return new SlotLease(slot, this);
  }

  /** Counts a lease that is handed over later, or that the registry keeps itself. */
  hold(slot: Slot<R, I>, now = this.#env.now()): void {
    slot.leases += 1;
    if (slot.leases === 1) slot.usedAt = now;
  }

  release(slot: Slot<R, I>): void {
    slot.leases -= 1;
    if (slot.leases > 0) return;
    slot.usedAt = this.#env.now();
    this.#eviction.touch(slot);
    // Still queued: live and evictable already, so there is nothing to do. Eviction takes leased slots out of the queue;
    // those are added back here.
    if (slot.queueIndex < 0 || this.#isAwaited !== undefined) {
      this.#idle(slot);
      this.#env.effects.flush();
    }
  }

  /** Makes a new slot the current one of its connection. The previous one must be superseded in the same step. */
  install(slot: Slot<R, I>): void {
    this.index.set(slot.id, slot);
  }

  /** A pending slot that is superseded from the start never enters the index. */
  installSuperseded(slot: Slot<R, I>): void {
    this.#departing.add(slot);
  }

  /** creating → live, and in the same step → draining or disposing if it was superseded meanwhile. */
  toLive(slot: Slot<R, I>, { waiters, fallback, superseded, create }: Creating<R, I>, instance: I, failures: number): void {
    slot.instance = instance;
    // Rounded down, because a back-off that starts here must not be too long.
    slot.hydratedAt = Math.floor(this.#env.clock.monotonic());
    slot.usedAt = this.#env.now();
    slot.state = create.cleanUps.length === 0 && failures === 0 ? LIVE : { kind: 'live', cleanUps: create.cleanUps, failures };
    this.instances += 1;
    for (const waiter of waiters) {
      this.hold(slot);
      waiter.deliver(slot);
    }
    if (fallback !== undefined) {
      this.supersede(fallback, 'replaced');
      this.release(fallback);
    }
    if (superseded !== undefined) this.supersede(slot, superseded.reason, superseded.cause);
    else if (slot.leases === 0) {
      this.#eviction.touch(slot);
      this.#idle(slot);
    }
    this.#eviction.evict();
  }

  /**
   * The next use must not get this slot. An idle instance is disposed of, a leased one drains, and a running hydrate goes
   * on for its waiters.
   */
  supersede(slot: Slot<R, I>, reason: DisposeReason, cause?: unknown): void {
    const { state } = slot;
    if (isHydrating(state)) {
      if (state.superseded !== undefined) return;
      state.superseded = { reason, cause };
      this.supersessionSignals.abort(slot);
      this.#departing.add(slot);
      const { fallback } = state;
      if (fallback !== undefined) {
        state.fallback = undefined;
        this.supersede(fallback, reason, cause);
        this.release(fallback);
      }
      if (state.kind === 'pending' && state.waiters.size === 0) this.beginning.cancel(slot);
    } else if (state.kind === 'seen') {
      this.beginning.cancel(slot);
    } else if (state.kind === 'live') {
      this.supersessionSignals.abort(slot);
      this.#eviction.remove(slot);
      this.#departing.add(slot);
      if (slot.leases === 0) this.#dispose(slot, state.cleanUps, { reason, cause });
      else this.ending.drain(slot, state.cleanUps, { reason, cause }, () => { this.#expire(slot); this.#env.effects.flush(); });
    }
  }

  /** With `keepLastGood`: this hydrating slot holds the instance that serves until its own is live. */
  takeFallback(state: Pending<R, I>, lastGood: Slot<R, I>): void {
    this.hold(lastGood);
    state.fallback = lastGood;
  }

  /** A successor takes over the fallback of this hydrating slot, and already holds it. */
  dropFallback(slot: Slot<R, I> | undefined): void {
    if (slot === undefined || !isHydrating(slot.state)) return;
    const { fallback } = slot.state;
    slot.state.fallback = undefined;
    if (fallback !== undefined) this.release(fallback);
  }

  /** The instance is dead. `inUse`: a lease reported it, not the instance itself. */
  retire(slot: Slot<R, I>, cause: unknown, inUse: boolean): void {
    const { state, id, version, hydratedAt, record } = slot;
    if (state.kind !== 'live') return;
    this.#backoff.died(id, version, hydratedAt, state.failures, inUse, record);
    this.#env.emit('retired', { id, version, cause });
    this.supersede(slot, 'retired', cause);
    // A dead instance cannot serve as a fallback.
    this.dropFallback(this.index.get(id));
    this.#env.effects.flush();
  }

  /** The deadline of `close` has passed: leased instances are disposed of while in use. */
  expireAll(): void {
    for (const slot of this.index.values()) this.supersede(slot, 'closing');
    for (const slot of this.#departing.all()) this.#expire(slot);
  }

  get isEmpty(): boolean {
    return this.index.size === 0 && this.#departing.size === 0;
  }

  /**
   * From now on, an instance ends when it becomes idle.
   *
   * @param isAwaited - whether an accepted use waits for a read of this id. Its instance does not end
   */
  close(isAwaited: (id: string) => boolean): void {
    this.#isAwaited = isAwaited;
    this.#eviction.stop();
  }

  #idle(slot: Slot<R, I>): void {
    const { state } = slot;
    if (state.kind === 'draining') {
      state.cancelDeadline();
      this.#dispose(slot, state.cleanUps, state);
    } else if (state.kind === 'live') {
      if (this.#isAwaited?.(slot.id) === false) {
        this.supersede(slot, 'closing');
        return;
      }
      this.#eviction.add(slot);
    }
  }

  /** A drain deadline has passed. */
  #expire(slot: Slot<R, I>): void {
    const { state } = slot;
    if (state.kind !== 'draining') return;
    state.cancelDeadline();
    if (this.#isAwaited !== undefined) this.disposedInUse.push({ id: slot.id, leases: slot.leases });
    this.#dispose(slot, state.cleanUps, state);
  }

  /** live or draining → disposing */
  #dispose(slot: Slot<R, I>, cleanUps: readonly CleanUp[], supersession: Supersession): void {
    this.instances -= 1;
    this.ending.dispose(slot, cleanUps, supersession);
  }
}
