import type { HydrationContext } from '../contracts/factory.js';
import type { Awaitable } from '../contracts/record.js';
import type { CleanUp, RunningCreate } from '../slot/state.js';

/** The part of `Slots` that a context needs. `T` is a slot. */
export interface ContextHost<T> {
  /** The instance reported itself dead. */
  retire(slot: T, cause: unknown, inUse: false): void;
  readonly ending: { addCleanUp(slot: T, cleanUp: CleanUp): void };
  readonly supersessionSignals: { of(slot: T): AbortSignal };
}

/**
 * One running `create`: its context, and our side of it. The context's members are own properties, because wrappers of a
 * factory pass `{ ...context }` on. Its functions can be called without the object.
 */
export class CreateContext<T> implements HydrationContext, RunningCreate {
  /** One descriptor for all: a getter of its own would give each context a hidden class of its own. */
  static readonly #signals = {
    signal: {
      enumerable: true,
      get(this: CreateContext<unknown>): AbortSignal {
        return this.#makeSignal();
      },
    },
    superseded: {
      enumerable: true,
      get(this: CreateContext<unknown>): AbortSignal {
        return this.#host.supersessionSignals.of(this.#slot);
      },
    },
  };

  declare readonly signal: AbortSignal;
  declare readonly superseded: AbortSignal;
  secrets: unknown = undefined;
  readonly cleanUps: CleanUp[] = [];
  retired: { readonly cause: unknown } | undefined = undefined;
  readonly #host: ContextHost<T>;
  readonly #slot: T;
  #controller: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;
  /** From when on `retire` and `onDispose` concern something that has its end, or its life, behind or before it. */
  #phase: 'creating' | 'created' | 'ended' = 'creating';

  constructor(host: ContextHost<T>, slot: T) {
    this.#host = host;
    this.#slot = slot;
    Object.defineProperties(this, CreateContext.#signals);
  }

  readonly retire = (cause?: unknown): void => {
    if (this.#phase === 'creating') this.retired ??= { cause };
    else if (this.#phase === 'created') this.#host.retire(this.#slot, cause, false);
  };

  readonly onDispose = (cleanUp: () => Awaitable<void>): void => {
    if (this.#phase === 'creating') this.cleanUps.push(cleanUp);
    else this.#host.ending.addCleanUp(this.#slot, cleanUp);
  };

  /** When it is first asked for: most factories never look, and a signal costs more than a whole hydrate. */
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
