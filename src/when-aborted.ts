interface Entry { readonly callbacks: Set<() => void>; readonly listener: () => void }

const ENTRIES = new WeakMap<AbortSignal, Entry>();

/**
 * Calls back when a signal aborts. Any number of callers share one listener per signal, because Node prints a warning
 * for more than ten of them.
 *
 * @returns a function that takes the callback off again
 */
export function whenAborted(signal: AbortSignal, callback: () => void): () => void {
  let entry = ENTRIES.get(signal);
  if (entry === undefined) {
    const callbacks = new Set<() => void>();
    const listener = (): void => { for (const each of callbacks) each(); };
    ENTRIES.set(signal, entry = { callbacks, listener });
    signal.addEventListener('abort', listener, { once: true });
  }
  const { callbacks, listener } = entry;
  // A function of its own for each caller, in case two pass the same one.
  const own = (): void => callback();
  callbacks.add(own);
  return () => {
    if (!callbacks.delete(own) || callbacks.size > 0 || ENTRIES.get(signal)?.callbacks !== callbacks) return;
    ENTRIES.delete(signal);
    signal.removeEventListener('abort', listener);
  };
}
