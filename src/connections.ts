import type { Freshness } from './contracts/options.js';
import type { Lease } from './slot/lease.js';

/** The options of one use. */
export interface AcquireOptions {
  /** Stops waiting and rejects with the signal's reason. The hydrate goes on while another caller waits for it. */
  signal?: AbortSignal | undefined;
  /** The longest wait for the lease, in milliseconds. Default `acquireTimeoutMs`. Never aborts a hydrate. */
  timeoutMs?: number | undefined;
  /** Default: the registry's `freshness`. */
  freshness?: Freshness | undefined;
}

/**
 * The interface for code that only uses connections. A fake of it is one object literal.
 *
 * @example
 * const fake: Connections<Row, Bot> = { use: async (_id, work) => work(bot, lease), acquire: async () => lease };
 */
export interface Connections<out R, out I> {
  /** Runs `work` with the live instance, hydrating it if need be, and holds it until `work` has settled. */
  use<T>(id: string, work: (instance: I, lease: Lease<R, I>) => T | Promise<T>, options?: AcquireOptions): Promise<T>;
  /** Takes a lease for work that outlives one function. The caller must release it. */
  acquire(id: string, options?: AcquireOptions): Promise<Lease<R, I>>;
}
