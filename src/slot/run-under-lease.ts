import { isThenable } from '../thenable.js';
import type { Lease } from './lease.js';

/** Runs `work` under a lease and releases it when `work` has settled. */
export function runUnderLease<R, I, T>(
  lease: Lease<R, I>, work: (instance: I, lease: Lease<R, I>) => T | Promise<T>,
): Promise<T> {
  try {
    const result = work(lease.instance, lease);
    // Inside the try, because a proxy, or a promise with a `then` of its own, may throw when it is asked for it.
    if (isThenable(result)) {
      return Promise.resolve(result).then(
        (value) => { lease.release(); return value; },
        (error: unknown) => { lease.release(); throw error; },
      );
    }
    lease.release();
    return Promise.resolve(result);
  } catch (error) {
    lease.release();
    return Promise.reject(error as Error);
  }
}
