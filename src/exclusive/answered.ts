import type { Clock } from '../clock.js';
import { ConnectionError } from '../errors.js';
import { within } from '../within.js';

/**
 * Carries out `call`, and stops waiting for it after `ms`: an answer that comes later is dropped.
 *
 * @throws ConnectionError `STORE_UNAVAILABLE` when it was not answered in time
 */
export function answeredWithin<T>(clock: Clock, ms: number, call: (options: { readonly signal: AbortSignal }) => T | Promise<T>): Promise<T> {
  const controller = new AbortController();
  const answer = new Promise<T>((resolve) => { resolve(call({ signal: controller.signal })); });
  return within(clock, ms, answer, () => {
    const overdue = new ConnectionError('STORE_UNAVAILABLE', `No answer within ${ms} ms`);
    controller.abort(overdue);
    throw overdue;
  });
}
