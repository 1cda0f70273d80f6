/** Makes its signal on first access, because a signal costs more than the rest of a use. */
interface SignalSource { readonly signal: AbortSignal }

/** Not enumerable, as `signal` is: a spread of a context copies the signal alone. */
const SOURCE: unique symbol = Symbol();

/** One getter for all: with one each, every object would have a hidden class of its own, which outlives it by far. */
const SIGNAL = { enumerable: true, get(this: { readonly [SOURCE]: SignalSource }): AbortSignal { return this[SOURCE].signal; } };

/**
 * Gives a context a `signal` that is made on first access. It is an own property instead of one of the class, because
 * wrappers of a factory pass `{ ...context }` on.
 */
export function ownSignal<T extends object>(context: T, source: SignalSource): T & { readonly signal: AbortSignal } {
  Object.defineProperty(context, SOURCE, { value: source });
  return Object.defineProperty(context, 'signal', SIGNAL) as T & { readonly signal: AbortSignal };
}
