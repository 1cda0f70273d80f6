/** What makes its signal when that is asked for: a signal costs more than all the rest of a use. */
interface SignalSource { readonly signal: AbortSignal }

/** Not enumerable, as `signal` is: whoever spreads a context gets the signal alone. */
const SOURCE: unique symbol = Symbol();

/** One getter for all: with one each, every object would have a hidden class of its own, which outlives it by far. */
const SIGNAL = { enumerable: true, get(this: { readonly [SOURCE]: SignalSource }): AbortSignal { return this[SOURCE].signal; } };

/**
 * Gives a context that is handed out a `signal` that is made when it is asked for. It is the context's own and not its
 * class's, for whoever wraps a factory passes `{ ...context }` on.
 */
export function ownSignal<T extends object>(context: T, source: SignalSource): T & { readonly signal: AbortSignal } {
  Object.defineProperty(context, SOURCE, { value: source });
  return Object.defineProperty(context, 'signal', SIGNAL) as T & { readonly signal: AbortSignal };
}
