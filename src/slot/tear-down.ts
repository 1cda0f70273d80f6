import type { Clock } from '../clock.js';
import { isThenable } from '../thenable.js';
import type { CleanUp } from './state.js';

/** The parts of a tear-down. Each may be foreign code that throws, hangs or calls back. */
export interface TearDown {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** The steps, in this order: `dispose` if there is an instance, then the clean-ups. */
  readonly steps: readonly CleanUp[];
  onFailure(error: unknown): void;
  onDone(): void;
}

/**
 * Runs every step, even if the one before failed, and waits at most `timeoutMs`. Synchronous steps run at once.
 */
export function tearDown({ clock, timeoutMs, steps, onFailure, onDone }: TearDown): void {
  const rest = runEach(steps, onFailure);
  if (rest === undefined) return onDone();

  let done = false;
  const finish = (): void => {
    if (done) return;
    done = true;
    cancelTimeout?.();
    onDone();
  };
  const cancelTimeout = timeoutMs === Infinity ? undefined : clock.setTimeout(() => {
    onFailure(new Error(`dispose has not settled within disposeTimeoutMs (${timeoutMs} ms) and is no longer waited for`));
    finish();
  }, timeoutMs, { ref: true });
  void rest.then(finish);
}

/** Returns a promise for the steps that are still running, or undefined if all are done. */
function runEach(steps: readonly CleanUp[], onFailure: (error: unknown) => void): Promise<void> | undefined {
  for (const [at, step] of steps.entries()) {
    try {
      const pending = step();
      if (isThenable(pending)) {
        return Promise.resolve(pending).catch(onFailure).then(() => runEach(steps.slice(at + 1), onFailure));
      }
    } catch (error) {
      onFailure(error);
    }
  }
  return undefined;
}
