/** Calls `work` with `args` in a captured async context, and returns its result. */
export type Surroundings = <A extends readonly unknown[], T>(work: (...args: A) => T, ...args: A) => T;

interface AsyncLocalStorageClass { snapshot?(): Surroundings }

/** The parts of a runtime that may offer async contexts. Known by shape, because the root entry imports nothing from Node. */
interface Runtime {
  readonly process?: { getBuiltinModule?(name: string): { readonly AsyncLocalStorage?: AsyncLocalStorageClass } | undefined };
  /** Edge runtimes have the class as a global. */
  readonly AsyncLocalStorage?: AsyncLocalStorageClass;
}

const unchanged: Surroundings = (work, ...args) => work(...args);

/**
 * Captures the async context (`AsyncLocalStorage`) of its caller. Calls made through the result run in that context,
 * whichever request caused them. On a runtime without async contexts they run unchanged.
 */
export function surroundings(): Surroundings {
  const { process, AsyncLocalStorage } = globalThis as Runtime;
  const storage = process?.getBuiltinModule?.('node:async_hooks')?.AsyncLocalStorage ?? AsyncLocalStorage;
  return storage?.snapshot?.() ?? unchanged;
}
