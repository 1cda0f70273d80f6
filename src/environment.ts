import { oncePerTurn, type Clock } from './clock.js';
import type { ResolvedOptions } from './contracts/options.js';
import type { ConnectionRecord } from './contracts/record.js';
import { Effects } from './effects.js';
import { Events, type RegistryEvents } from './events.js';
import { withSharedTimers } from './shared-timers.js';

/** What all parts of a registry share: its options, its time, its listeners, and the queue of calls into foreign code. */
export class Environment<R extends ConnectionRecord, I> {
  readonly options: ResolvedOptions<R, I>;
  readonly clock: Clock;
  /** The monotonic clock in whole milliseconds, rounded up, read at least once per turn of the event loop. */
  readonly now: () => number;
  readonly events = new Events();
  readonly effects = new Effects();
  /** The freshness bound, and `-Infinity` once nothing is served any more: the hot path makes one comparison. */
  maxStaleMs: number;

  constructor(options: ResolvedOptions<R, I>) {
    const { clock, acquireTimeoutMs, storeTimeoutMs, hydrationTimeoutMs, disposeTimeoutMs } = options;
    this.options = options;
    this.maxStaleMs = options.maxStaleMs;
    this.clock = withSharedTimers(clock, [acquireTimeoutMs, storeTimeoutMs, hydrationTimeoutMs, disposeTimeoutMs]);
    this.now = oncePerTurn(clock);
  }

  /** Listeners are foreign code: they run when the step that gave rise to the event is complete. */
  emit<E extends keyof RegistryEvents>(event: E, payload: RegistryEvents[E]): void {
    if (this.events.isHeard(event)) this.effects.add(() => this.events.emit(event, payload));
  }

  /** Calls the factory in the surroundings that the application wants for this connection. */
  around<T>(record: R, work: () => T): T {
    const { around } = this.options;
    return around === undefined ? work() : around(record, work);
  }
}
