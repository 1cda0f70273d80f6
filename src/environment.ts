import { oncePerTurn, type Clock } from './clock.js';
import type { InstanceFactory } from './contracts/factory.js';
import type { ResolvedOptions } from './contracts/options.js';
import type { ConnectionRecord } from './contracts/record.js';
import { Effects } from './effects.js';
import { Events, type RegistryEvents } from './events.js';
import { withSharedTimers } from './shared-timers.js';
import { surroundings, type Surroundings } from './surroundings.js';

/** Shared by all parts of a registry: options, time, listeners, async context, and the queue of calls to user code. */
export class Environment<R extends ConnectionRecord, I> {
  readonly options: ResolvedOptions<R, I>;
  readonly clock: Clock;
  /** The monotonic clock in whole milliseconds, rounded up, read at most once per turn of the event loop. */
  readonly now: () => number;
  readonly events: Events;
  readonly effects = new Effects();
  /**
   * Calls `work` in the async context in which the registry was constructed. One caller's context must not decide a read
   * that other callers share, and a long-lived instance must not keep the context of its first caller.
   */
  readonly inOwnContext: Surroundings = surroundings();
  /** The freshness bound, and `-Infinity` once nothing is served any more: the hot path makes one comparison. */
  maxStaleMs: number;

  constructor(options: ResolvedOptions<R, I>) {
    const { clock, acquireTimeoutMs, storeTimeoutMs, hydrationTimeoutMs, disposeTimeoutMs } = options;
    this.options = options;
    this.maxStaleMs = options.maxStaleMs;
    const durationsMs = [acquireTimeoutMs, storeTimeoutMs, hydrationTimeoutMs, disposeTimeoutMs];
    this.clock = withSharedTimers(clock, durationsMs, this.inOwnContext);
    this.now = oncePerTurn(clock);
    this.events = new Events(clock);
  }

  /** Listeners are user code: they run when the step that caused the event is complete. */
  emit<E extends keyof RegistryEvents>(event: E, payload: RegistryEvents[E]): void {
    if (this.events.isHeard(event)) this.effects.add(() => this.events.emit(event, payload));
  }

  /** Whether an instance of this factory is created only when the one before it has been disposed of. */
  isDrainFirst(factory: InstanceFactory<R, I>): boolean {
    return (factory.replacement ?? this.options.replacement) === 'drain-first';
  }

  /** Calls the factory inside the `around` option, in the async context of the caller: for a request that is served. */
  around<T>(record: R, work: () => T): T {
    const { around } = this.options;
    return around === undefined ? work() : around(record, work);
  }

  /** Calls the factory inside the `around` option, in the registry's own async context: for an instance's life. */
  apart<T>(record: R, work: () => T): T {
    return this.inOwnContext(() => this.around(record, work));
  }
}
