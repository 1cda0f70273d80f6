import type { Clock } from './clock.js';

/**
 * What `work` comes to, if it settles within `ms`. What comes later is dropped.
 *
 * @param overdue - says what it comes to then: returns it or throws it
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
