import { isThenable } from '../thenable.js';
import type { Lease } from './lease.js';

/** Runs `work` under a lease and releases it when `work` has settled. */
export function run<R, I, T>(lease: Lease<R, I>, work: (instance: I, lease: Lease<R, I>) => T | Promise<T>): Promise<T> {
  let result: T | Promise<T>;
  let settled: boolean;
  try {
    result = work(lease.instance, lease);
    // In here, for a proxy may throw when it is asked for `then`.
    settled = !isThenable(result);
  } catch (error) {
    lease.release();
    return Promise.reject(error as Error);
  }
  if (settled) {
    lease.release();
    return Promise.resolve(result);
  }
  return Promise.resolve(result).then(
    (value) => { lease.release(); return value; },
    (error: unknown) => { lease.release(); throw error; },
  );
}
