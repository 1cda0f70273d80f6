import type { Clock } from '../clock.js';

/** The behaviour of a fake in one call. By default it succeeds at once. */
export interface Behaviour {
  /** The call settles after this many milliseconds of the fake's clock. */
  readonly delayMs?: number;
  /** The call rejects with this error, after the delay. */
  readonly fail?: unknown;
  /** The call never settles. */
  readonly hang?: boolean;
  /** After the delay, the call settles when this promise does. */
  readonly until?: Promise<unknown>;
}

/** Does what a behaviour says and then `work`, in the same turn where there is nothing to wait for. */
export async function behave<T>(behaviour: Behaviour | undefined, clock: Clock, work: () => T): Promise<T> {
  if (behaviour?.hang === true) return new Promise<never>(() => {});
  const { delayMs = 0, until } = behaviour ?? {};
  if (delayMs > 0) await new Promise<void>((resolve) => { clock.setTimeout(resolve, delayMs, { ref: true }); });
  if (until !== undefined) await until;
  if (behaviour !== undefined && 'fail' in behaviour) throw behaviour.fail;
  return work();
}
