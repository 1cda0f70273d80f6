import type { Clock } from '../clock.js';
import { ConnectionError } from '../errors.js';

/**
 * Carries out `call`, and stops waiting for it after `ms`: an answer that comes later is dropped.
 *
 * @throws ConnectionError `STORE_UNAVAILABLE` when it was not answered in time
 */
export function within<T>(clock: Clock, ms: number, call: (options: { readonly signal: AbortSignal }) => T | Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const controller = new AbortController();
    const cancel = clock.setTimeout(() => {
      const overdue = new ConnectionError('STORE_UNAVAILABLE', `No answer within ${ms} ms`);
      reject(overdue);
      controller.abort(overdue);
    }, ms, { ref: true });
    new Promise<T>((answer) => { answer(call({ signal: controller.signal })); }).then(resolve, reject).finally(cancel);
  });
}
