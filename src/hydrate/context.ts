import type { HydrationContext } from '../contracts/factory.js';
import type { Awaitable } from '../contracts/record.js';
import type { CleanUp, RunningCreate } from '../slot/state.js';

/** What the context tells the hydrator. */
export interface ContextHost {
  /** The instance was reported dead after `create` had returned it. */
  retire(cause: unknown): void;
  /** A clean-up was registered after `create` had settled. */
  late(cleanUp: CleanUp): void;
}

/** One `create` in the making: what it is given, and our side of it. */
export class CreateContext<S> implements HydrationContext<S>, RunningCreate {
  secrets: S = undefined as S;
  readonly cleanUps: CleanUp[] = [];
  retired: { readonly cause: unknown } | undefined = undefined;
  readonly #host: ContextHost;
  #controller: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;
  /** From when on `retire` and `onDispose` concern something that has its end, or its life, behind or before it. */
  #phase: 'creating' | 'created' | 'ended' = 'creating';

  constructor(host: ContextHost) {
    this.#host = host;
  }

  /** Made when it is first asked for: most factories never look, and a signal costs more than a whole hydrate. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted.reason);
    }
    return this.#controller.signal;
  }

  /** A getter, like `onDispose`, for `create` may take it out of the context and call it bare. */
  get retire(): (cause?: unknown) => void {
    return (cause) => {
      if (this.#phase === 'creating') this.retired ??= { cause };
      else if (this.#phase === 'created') this.#host.retire(cause);
    };
  }

  get onDispose(): (cleanUp: () => Awaitable<void>) => void {
    return (cleanUp) => {
      if (this.#phase === 'creating') this.cleanUps.push(cleanUp);
      else this.#host.late(cleanUp);
    };
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
