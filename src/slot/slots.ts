import type { Backoff } from '../backoff.js';
import type { DisposeReason } from '../contracts/factory.js';
import type { ConnectionRecord } from '../contracts/record.js';
import { Departing } from './departing.js';
import { tearDown } from './disposal.js';
import { DrainSignals } from './drain-signals.js';
import type { Environment } from '../environment.js';
import { Eviction } from './eviction.js';
import { SlotLease } from './lease.js';
import { SupersessionSignals } from './supersession-signals.js';
import type { Slot } from './state.js';
import {
  DISPOSED, DISPOSING, LIVE,
  type Abandoned, type CleanUp, type Creating, type Pending, type RunningCreate, type Seen, type Supersession,
} from './state.js';

/** All slots of a registry, and the only code that moves them from state to state. See `state.ts`. */
export class Slots<R extends ConnectionRecord, I> {
  /** The current slot of each connection: pending, creating or live, and never superseded. */
  readonly index = new Map<string, Slot<R, I>>();
  readonly drainSignals = new DrainSignals<R, I>();
  readonly supersessionSignals: SupersessionSignals<R, I>;
  /** Instances that are live or draining: what `maxInstances` counts. */
  instances = 0;
  /** Being torn down. Counted, for to look among all that depart, for each that has gone, would be quadratic. */
  disposing = 0;
  /** From `close` on, what becomes idle goes unless this says that an accepted use is about to ask for it. */
  closing: ((id: string) => boolean) | undefined = undefined;
  /** What was disposed of under its leases since `close` was called. */
  readonly expired: { readonly id: string; readonly leases: number }[] = [];
  /** Called when a slot is gone. */
  departed: () => void = () => {};

  readonly #env: Environment<R, I>;
  readonly #backoff: Backoff;
  readonly #disposedOf: (id: string) => void;
  readonly #eviction: Eviction<R, I>;
  readonly #departing = new Departing<R, I>();
  #generations = 0;
  /** The slots that are out of the index and not gone yet. */
  readonly departing: Pick<Departing<R, I>, 'of' | 'all' | 'onProgress'> = this.#departing;

  /** @param disposedOf - called when an instance of this connection has been disposed of */
  constructor(env: Environment<R, I>, backoff: Backoff, disposedOf: (id: string) => void) {
    this.#env = env;
    this.supersessionSignals = new SupersessionSignals<R, I>(env);
    this.#disposedOf = disposedOf;
    this.#backoff = backoff;
    this.#eviction = new Eviction<R, I>({
      clock: env.clock,
      limits: env.options,
      instances: () => this.instances,
      supersede: (slot, reason) => this.supersede(slot, reason),
      thrashing: (evictionsPerMinute) => env.emit('thrashing', { maxInstances: env.options.maxInstances, evictionsPerMinute }),
      flush: () => env.effects.flush(),
    });
  }

  /** Counts a lease on a live slot. */
  lease(slot: Slot<R, I>, now: number): SlotLease<R, I> {
    this.hold(slot, now);
    return new SlotLease(slot, this);
  }

  /** The lease of a hold that was counted already. */
  handOver(slot: Slot<R, I>): SlotLease<R, I> {
    return new SlotLease(slot, this);
  }

  /** Counts a lease that is handed over later, or kept by the registry itself. */
  hold(slot: Slot<R, I>, now = this.#env.now()): void {
    slot.leases += 1;
    if (slot.leases === 1) slot.usedAt = now;
  }

  release(slot: Slot<R, I>): void {
    slot.leases -= 1;
    if (slot.leases > 0) return;
    slot.usedAt = this.#env.now();
    this.#eviction.touch(slot);
    // What stands in the queue needs nothing done: it is live, and while there are too many, all that is leased is taken out.
    if (slot.queueIndex < 0 || this.closing !== undefined) {
      this.#idle(slot);
      this.#env.effects.flush();
    }
  }

  /** Makes a new slot the current one of its connection. The one before must be superseded in the same step. */
  install(slot: Slot<R, I>): void {
    this.index.set(slot.id, slot);
  }

  /** A pending slot that was born superseded stands among the departing from the start. */
  installSuperseded(slot: Slot<R, I>): void {
    this.#departing.add(slot);
  }

  /** seen → pending: somebody is entitled to an instance. */
  pending(slot: Slot<R, I>, superseded: Supersession | undefined = undefined): Pending<R, I> {
    const { outdated } = slot.state as Seen;
    const state: Pending<R, I> = {
      kind: 'pending',
      generation: this.#generations++,
      waiters: new Set(),
      fallback: undefined,
      superseded,
      outdated,
      leave: undefined,
    };
    slot.state = state;
    return state;
  }

  /** Somebody looks at the row, and may want an instance of it. Returns what says so no more. */
  look(slot: Slot<R, I>): () => void {
    if (slot.state.kind === 'seen') slot.state.holders += 1;
    return () => {
      if (slot.state.kind !== 'seen') return;
      slot.state.holders -= 1;
      if (slot.state.holders === 0) this.cancel(slot);
    };
  }

  /** pending → creating */
  creating(slot: Slot<R, I>, state: Pending<R, I>, create: RunningCreate): void {
    const { generation, waiters, fallback, superseded } = state;
    slot.state = { kind: 'creating', generation, waiters, fallback, superseded, create, startedAt: this.#env.clock.monotonic() };
  }

  /** creating → live, and at once on to draining or disposing if it was superseded meanwhile. */
  live(slot: Slot<R, I>, { waiters, fallback, superseded, create }: Creating<R, I>, instance: I, failures: number): void {
    slot.instance = instance;
    // Rounded down, for a back-off is dated from it, and must not be longer than it is to be.
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
    else if (slot.leases === 0) this.#cameUnused(slot);
    this.#eviction.evict();
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

  /** seen or pending → disposed: nothing was created. */
  cancel(slot: Slot<R, I>): void {
    if (slot.state.kind === 'pending') slot.state.leave?.();
    this.#unindex(slot);
    this.#disposed(slot);
  }

  /** creating → abandoned: `create` runs on, for nobody. */
  abandon(slot: Slot<R, I>, { create }: Creating<R, I>, reason: DisposeReason, timedOut: boolean): void {
    this.supersessionSignals.abort(slot);
    this.#unindex(slot);
    slot.state = { kind: 'abandoned', create, reason, timedOut };
    this.#departing.add(slot);
    this.#departing.progressed(slot.id);
  }

  /** Successors no longer wait for this slot's `create`. */
  noLongerAwaited(slot: Slot<R, I>, state: Abandoned): void {
    state.timedOut = true;
    this.#departing.progressed(slot.id);
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
      this.supersessionSignals.abort(slot);
      this.#unindex(slot);
      this.#departing.add(slot);
      const { fallback } = state;
      if (fallback !== undefined) {
        state.fallback = undefined;
        this.supersede(fallback, reason, cause);
        this.release(fallback);
      }
      if (state.kind === 'pending' && state.waiters.size === 0) this.cancel(slot);
    } else if (state.kind === 'seen') {
      this.cancel(slot);
    } else if (state.kind === 'live') {
      this.supersessionSignals.abort(slot);
      this.#unindex(slot);
      this.#eviction.remove(slot);
      this.#departing.add(slot);
      if (slot.leases === 0) this.#dispose(slot, state.cleanUps, { reason, cause });
      else this.#drain(slot, state.cleanUps, { reason, cause });
    }
  }

  /** With `keepLastGood`: the live instance that goes on serving until a successor is live. */
  lastGood(current: Slot<R, I> | undefined): Slot<R, I> | undefined {
    if (current === undefined || current.state.kind === 'live') return current;
    // It is live: from one that is not any more its successor has parted.
    return 'fallback' in current.state ? current.state.fallback : undefined;
  }

  /** A hydrating slot hands its fallback on to its successor, which holds it already. */
  dropFallback(slot: Slot<R, I> | undefined): void {
    if (slot === undefined || (slot.state.kind !== 'pending' && slot.state.kind !== 'creating')) return;
    const { fallback } = slot.state;
    slot.state.fallback = undefined;
    if (fallback !== undefined) this.release(fallback);
  }

  /** The instance is dead. `inUse`: found so by a lease, rather than reported by itself. */
  retire(slot: Slot<R, I>, cause: unknown, inUse: boolean): void {
    const { state, id, version, hydratedAt, record } = slot;
    if (state.kind !== 'live') return;
    this.#backoff.died(id, version, hydratedAt, state.failures, inUse, record);
    this.#env.emit('retired', { id, version, cause });
    this.supersede(slot, 'retired', cause);
    // What is dead is nothing to fall back on.
    this.dropFallback(this.index.get(id));
    this.#env.effects.flush();
  }

  /** A slot and the one that it may fall back on. */
  withFallback(slot: Slot<R, I>): readonly Slot<R, I>[] {
    const lastGood = this.lastGood(slot);
    return lastGood === undefined || lastGood === slot ? [slot] : [slot, lastGood];
  }

  /** Resolves when the slot's instance has been disposed of, or its `create` or `dispose` is no longer waited for. */
  whenGone(slot: Slot<R, I>): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        const { state } = slot;
        if (state.kind === 'disposed' || (state.kind === 'abandoned' && state.timedOut)) resolve();
        else this.#departing.onProgress(slot.id, look);
      };
      look();
    });
  }

  /** The deadline of `close` has passed: what is leased is disposed of under its users. */
  expireAll(): void {
    for (const slot of this.index.values()) this.supersede(slot, 'closing');
    for (const slot of this.#departing.all()) this.#expire(slot);
  }

  supersededSignal(slot: Slot<R, I>): AbortSignal {
    return this.supersessionSignals.of(slot);
  }

  /** A clean-up that was registered after `create` had settled. What is gone already is cleaned up at once. */
  addCleanUp(slot: Slot<R, I>, cleanUp: CleanUp): void {
    const { state } = slot;
    if (state.kind === 'live' || state.kind === 'draining') slot.state = { ...state, cleanUps: [...state.cleanUps, cleanUp] };
    else this.#tearDown(slot, [cleanUp], () => {});
  }

  get isEmpty(): boolean {
    return this.index.size === 0 && this.#departing.size === 0;
  }

  stopIdleClock(): void {
    this.#eviction.stop();
  }

  /** A live slot came to be without anybody to take it. */
  #cameUnused(slot: Slot<R, I>): void {
    this.#eviction.touch(slot);
    this.#idle(slot);
  }

  #idle(slot: Slot<R, I>): void {
    const { state } = slot;
    if (state.kind === 'draining') {
      state.cancelDeadline();
      this.#dispose(slot, state.cleanUps, state);
    } else if (state.kind === 'live') {
      if (this.closing?.(slot.id) === false) {
        this.supersede(slot, 'closing');
        return;
      }
      this.#eviction.add(slot);
    }
  }

  #drain(slot: Slot<R, I>, cleanUps: readonly CleanUp[], { reason, cause }: Supersession): void {
    const { clock, effects, options: { drainTimeoutMs } } = this.#env;
    const cancelDeadline = drainTimeoutMs === Infinity
      ? () => {}
      : clock.setTimeout(() => { this.#expire(slot); effects.flush(); }, drainTimeoutMs, { ref: true });
    slot.state = { kind: 'draining', cleanUps, reason, cause, cancelDeadline };
  }

  /** A drain deadline has passed. */
  #expire(slot: Slot<R, I>): void {
    const { state } = slot;
    if (state.kind !== 'draining') return;
    state.cancelDeadline();
    if (this.closing !== undefined) this.expired.push({ id: slot.id, leases: slot.leases });
    this.#dispose(slot, state.cleanUps, state);
  }

  /**
   * live or draining → disposing → disposed; also what a failed `create` left. `supersession` is undefined where there
   * is no instance.
   */
  #dispose(slot: Slot<R, I>, cleanUps: readonly CleanUp[], supersession: Supersession | undefined): void {
    if (slot.state.kind === 'live' || slot.state.kind === 'draining') this.instances -= 1;
    const { id, version, record, factory, leases } = slot;
    const { effects } = this.#env;
    const instance = slot.instance as I;
    slot.instance = slot.secrets = undefined;
    slot.state = DISPOSING;
    this.supersessionSignals.abort(slot);
    this.disposing += 1;
    this.#departing.add(slot);
    effects.add(() => {
      this.drainSignals.abort(slot);
      // Clean-ups run last first.
      const steps = cleanUps.toReversed();
      if (supersession !== undefined && factory.dispose !== undefined) {
        const { reason, cause } = supersession;
        steps.unshift(() => factory.dispose?.(instance, { record, reason, cause }));
      }
      this.#tearDown(slot, steps, () => {
        if (supersession !== undefined) {
          this.#env.emit('disposed', { id, version, reason: supersession.reason, abandonedLeases: leases });
        }
        this.#disposed(slot);
        effects.flush();
      });
    });
    // Its successor's `create` comes after its `dispose` has begun.
    this.#departing.progressed(id);
  }

  #tearDown(slot: Slot<R, I>, steps: readonly CleanUp[], onDone: () => void): void {
    const { clock, options: { disposeTimeoutMs: timeoutMs } } = this.#env;
    const { id, version, record } = slot;
    const apart = steps.map((step) => () => this.#env.apart(record, step));
    tearDown({
      clock,
      timeoutMs,
      steps: apart,
      onDone,
      onFailure: (error) => this.#env.emit('disposeFailed', { id, version, error }),
    });
  }

  #disposed(slot: Slot<R, I>): void {
    const wasInstance = slot.state.kind === 'disposing';
    slot.state = DISPOSED;
    if (wasInstance) {
      this.disposing -= 1;
      this.#outdate(slot.id);
    }
    this.#departing.remove(slot);
    this.departed();
  }

  /** Rows of this connection that were read before now may lack what `dispose` has written. */
  #outdate(id: string): void {
    const current = this.index.get(id);
    if (current !== undefined) outdate(current);
    for (const other of this.#departing.of(id)) outdate(other);
    this.#disposedOf(id);
  }

  /** By identity, never by id. */
  #unindex(slot: Slot<R, I>): void {
    if (this.index.get(slot.id) === slot) this.index.delete(slot.id);
  }
}

function outdate({ state }: Slot<any, any>): void {
  if (state.kind === 'seen' || state.kind === 'pending') state.outdated = true;
}
