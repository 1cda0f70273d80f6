import type { HydrationContext } from '../contracts/factory.js';
import type { Awaitable, ConnectionRecord } from '../contracts/record.js';
import type { Slots } from '../slot/slots.js';
import type { CleanUp, RunningCreate, Slot } from '../slot/state.js';

/**
 * One running `create`: its context, and our side of it. The context's members are own properties, because wrappers of a
 * factory pass `{ ...context }` on. Its functions can be called without the object.
 */
export class CreateContext<R extends ConnectionRecord, I> implements HydrationContext, RunningCreate {
  // One descriptor for all: a getter of its own would give each context a hidden class of its own.
  static readonly #signal: PropertyDescriptor & ThisType<CreateContext<any, any>> = {
    enumerable: true, get() { return this.#makeSignal(); },
  };
  static readonly #superseded: PropertyDescriptor & ThisType<CreateContext<any, any>> = {
    enumerable: true, get() { return this.#slots.supersessionSignals.of(this.#slot); },
  };

  declare readonly signal: AbortSignal;
  declare readonly superseded: AbortSignal;
  secrets: unknown = undefined;
  readonly cleanUps: CleanUp[] = [];
  retired: { readonly cause: unknown } | undefined = undefined;
  readonly #slots: Slots<R, I>;
  readonly #slot: Slot<R, I>;
  #controller: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;
  /** Decides what `retire` and `onDispose` do: before `create` has returned, while the instance lives, and after its end. */
  #phase: 'creating' | 'created' | 'ended' = 'creating';

  constructor(slots: Slots<R, I>, slot: Slot<R, I>) {
    this.#slots = slots;
    this.#slot = slot;
    // One by one: `defineProperties` takes twice the time, which is a tenth of a first use.
    Object.defineProperty(this, 'signal', CreateContext.#signal);
    Object.defineProperty(this, 'superseded', CreateContext.#superseded);
  }

  readonly retire = (cause?: unknown): void => {
    if (this.#phase === 'creating') this.retired ??= { cause };
    else if (this.#phase === 'created') this.#slots.retire(this.#slot, cause, false);
  };

  readonly onDispose = (cleanUp: () => Awaitable<void>): void => {
    if (this.#phase === 'creating') this.cleanUps.push(cleanUp);
    else this.#slots.ending.addCleanUp(this.#slot, cleanUp);
  };

  /** Made on first use: most factories never read it, and a signal costs more than a whole hydrate. */
  #makeSignal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted.reason);
    }
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    if (this.#aborted !== undefined) return;
    this.#aborted = { reason };
    this.#controller?.abort(reason);
  }

  /** `create` has settled. */
  settled(phase: 'created' | 'ended'): void {
    this.#phase = phase;
  }
}
