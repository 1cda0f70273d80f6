import type { ConnectionRecord } from '../contracts/record.js';
import type { Environment } from '../environment.js';
import type { Departing } from './departing.js';
import { tearDown } from './tear-down.js';
import { DrainSignals } from './drain-signals.js';
import { DISPOSED, DISPOSING, type CleanUp, type Slot, type Supersession } from './state.js';
import type { SupersessionSignals } from './supersession-signals.js';

/** The end of a slot: draining → disposing → disposed. See `state.ts`. */
export class Ending<R extends ConnectionRecord, I> {
  readonly drainSignals = new DrainSignals<R, I>();
  /** The number of slots being disposed of. A count, because searching all departing slots each time is quadratic. */
  disposing = 0;
  /** Called when a slot is disposed. */
  onDisposed: () => void = () => {};

  readonly #env: Environment<R, I>;
  readonly #index: ReadonlyMap<string, Slot<R, I>>;
  readonly #departing: Departing<R, I>;
  readonly #supersessionSignals: SupersessionSignals<R, I>;
  readonly #onInstanceDisposed: (id: string) => void;

  constructor(
    env: Environment<R, I>,
    index: ReadonlyMap<string, Slot<R, I>>,
    departing: Departing<R, I>,
    supersessionSignals: SupersessionSignals<R, I>,
    onInstanceDisposed: (id: string) => void,
  ) {
    this.#env = env;
    this.#index = index;
    this.#departing = departing;
    this.#supersessionSignals = supersessionSignals;
    this.#onInstanceDisposed = onInstanceDisposed;
  }

  /** live → draining: superseded while leased. */
  drain(slot: Slot<R, I>, cleanUps: readonly CleanUp[], { reason, cause }: Supersession, onDeadline: () => void): void {
    const { clock, options: { drainTimeoutMs } } = this.#env;
    const cancelDeadline =
      drainTimeoutMs === Infinity ? () => {} : clock.setTimeout(onDeadline, drainTimeoutMs, { ref: true });
    slot.state = { kind: 'draining', cleanUps, reason, cause, cancelDeadline };
  }

  /** → disposing → disposed. `supersession` is undefined after a failed `create`, because there is no instance. */
  dispose(slot: Slot<R, I>, cleanUps: readonly CleanUp[], supersession: Supersession | undefined): void {
    const { id, version, record, factory, leases } = slot;
    const { effects } = this.#env;
    const instance = slot.instance as I;
    slot.instance = slot.secrets = undefined;
    slot.state = DISPOSING;
    this.#supersessionSignals.abort(slot);
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
        this.toDisposed(slot);
        effects.flush();
      });
    });
    // The successor's `create` starts after this `dispose` has started.
    this.#departing.progressed(id);
  }

  /** → disposed */
  toDisposed(slot: Slot<R, I>): void {
    const wasInstance = slot.state.kind === 'disposing';
    slot.state = DISPOSED;
    if (wasInstance) {
      this.disposing -= 1;
      this.#markReadBeforeDispose(slot.id);
    }
    this.#departing.remove(slot);
    this.onDisposed();
  }

  /** Registers a clean-up after `create` has settled. Runs it at once if the slot is already disposed of. */
  addCleanUp(slot: Slot<R, I>, cleanUp: CleanUp): void {
    const { state } = slot;
    if (state.kind === 'live' || state.kind === 'draining') slot.state = { ...state, cleanUps: [...state.cleanUps, cleanUp] };
    else this.#tearDown(slot, [cleanUp], () => {});
  }

  /** Resolves when the slot is disposed, or when nothing waits for its `create` any longer. */
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

  /** Rows of this connection that were read before now may lack changes that `dispose` made. */
  #markReadBeforeDispose(id: string): void {
    const current = this.#index.get(id);
    if (current !== undefined) markReadBeforeDispose(current);
    for (const other of this.#departing.of(id)) markReadBeforeDispose(other);
    this.#onInstanceDisposed(id);
  }
}

function markReadBeforeDispose({ state }: Slot<any, any>): void {
  if (state.kind === 'seen' || state.kind === 'pending') state.readBeforeDispose = true;
}
