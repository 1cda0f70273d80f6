import { Harness, type HarnessOptions } from '../../support/harness.js';

/** A harness without timers of its own: no sweep and no idle timer. */
export const open = (options: HarnessOptions = {}): Harness =>
  new Harness({ sweepIntervalMs: 0, idleTimeoutMs: Infinity, ...options });

/** `'served'`, or the code of the error. */
export const outcomeOf = (use: Promise<unknown>): Promise<unknown> =>
  use.then(
    () => 'served',
    (error: { code?: string }) => error.code ?? error,
  );
