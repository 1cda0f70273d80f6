import type { Clock } from './clock.js';

/**
 * The result of `work`, if it settles within `ms`. A later result is dropped.
 *
 * @param overdue - returns or throws the result in that case
 */
export function within<T>(clock: Clock, ms: number, work: PromiseLike<T>, overdue: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = ms === Infinity ? undefined : clock.setTimeout(() => {
      try {
        resolve(overdue());
      } catch (error) {
        reject(error as Error);
      }
    }, ms, { ref: true });
    // Not `work.then` itself: a thenable may throw at that, and leave the timer standing.
    Promise.resolve(work).then(
      (value) => { cancel?.(); resolve(value); },
      (error: unknown) => { cancel?.(); reject(error as Error); },
    );
  });
}
