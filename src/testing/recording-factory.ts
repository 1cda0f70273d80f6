import { systemClock, type Clock } from '../clock.js';
import type { DisposeReason, HydrationContext } from '../contracts/factory.js';
import type { ConnectionRecord } from '../contracts/record.js';
import { behave, type Behaviour } from './behaviour.js';

/** The instance that a {@link RecordingFactory} makes. */
export interface RecordedInstance<R> {
  /** The number of the create that made it, from 1. */
  readonly serial: number;
  readonly record: R;
  /** The context that `create` got. Call `context.retire()` to report that the instance is dead. */
  readonly context: HydrationContext<any>;
  /** The number of times it was disposed of. More than 1 is a defect of the caller. */
  readonly disposals: number;
}

/** One thing that happened to a {@link RecordingFactory}. */
export interface RecordedEvent {
  readonly kind: 'create' | 'created' | 'failed' | 'dispose' | 'disposed' | 'disposeFailed';
  readonly id: string;
  readonly version: string;
  readonly serial: number;
  /** Set for `dispose`, `disposed` and `disposeFailed`. */
  readonly reason?: DisposeReason;
  readonly cause?: unknown;
}

/**
 * A factory whose instances do nothing. It records every create and dispose, in order. Each call can be slow, fail or hang,
 * as the test says. Deterministic on a manual clock.
 *
 * @example
 * const factory = new RecordingFactory<MyRecord>({ clock });
 * const registry = new ConnectionRegistry({ store, factory, clock });
 * await registry.use('acme', () => {});
 * factory.history; // ['create acme 1', 'created acme 1']
 */
export class RecordingFactory<R extends ConnectionRecord = ConnectionRecord> {
  /** Everything that happened, in order. */
  readonly events: RecordedEvent[] = [];
  readonly #clock: Clock;
  readonly #live = new Map<number, { -readonly [K in keyof RecordedInstance<R>]: RecordedInstance<R>[K] }>();
  #serial = 0;
  #onCreate: (record: R, serial: number) => Behaviour | undefined = () => undefined;
  #onDispose: (record: R, reason: DisposeReason, serial: number) => Behaviour | undefined = () => undefined;

  /** Delays pass on `clock`, by default the system's. */
  constructor({ clock = systemClock }: { clock?: Clock } = {}) {
    this.#clock = clock;
  }

  /** Sets how creates behave from now on: one behaviour for all, or a function that returns it for each. */
  behaveOnCreate(behaviour: Behaviour | ((record: R, serial: number) => Behaviour | undefined)): void {
    this.#onCreate = typeof behaviour === 'function' ? behaviour : () => behaviour;
  }

  /** Sets how disposes behave from now on: one behaviour for all, or a function that returns it for each. */
  behaveOnDispose(behaviour: Behaviour | ((record: R, reason: DisposeReason, serial: number) => Behaviour | undefined)): void {
    this.#onDispose = typeof behaviour === 'function' ? behaviour : () => behaviour;
  }

  /** The events in words: `'create acme 1'`, `'dispose acme 1 evicted'`. */
  get history(): string[] {
    return this.events.map(({ kind, id, version, reason }) =>
      [kind, id, version, reason].filter((word) => word !== undefined).join(' '),
    );
  }

  /** The instances that were created and not disposed of yet, oldest first. */
  get live(): readonly RecordedInstance<R>[] {
    return [...this.#live.values()];
  }

  /** How many events of this kind there were, for this connection or for all. */
  count(kind: RecordedEvent['kind'], id?: string): number {
    return this.events.filter((event) => event.kind === kind && (id === undefined || event.id === id)).length;
  }

  readonly create = async (record: R, context: HydrationContext<any>): Promise<RecordedInstance<R>> => {
    this.#serial += 1;
    const serial = this.#serial;
    const about = { id: record.id, version: String(record.version), serial };
    this.events.push({ kind: 'create', ...about });
    try {
      return await behave(this.#onCreate(record, serial), this.#clock, () => {
        const instance = { serial, record, context, disposals: 0 };
        this.#live.set(serial, instance);
        this.events.push({ kind: 'created', ...about });
        return instance;
      });
    } catch (cause) {
      this.events.push({ kind: 'failed', ...about, cause });
      throw cause;
    }
  };

  readonly dispose = async (
    instance: RecordedInstance<R>,
    { record, reason, cause }: { readonly record: R; readonly reason: DisposeReason; readonly cause?: unknown },
  ): Promise<void> => {
    const { serial } = instance;
    const about = { id: record.id, version: String(record.version), serial, reason };
    (instance as { disposals: number }).disposals += 1;
    this.events.push({ kind: 'dispose', ...about, ...(cause === undefined ? {} : { cause }) });
    try {
      await behave(this.#onDispose(record, reason, serial), this.#clock, () => {
        this.#live.delete(serial);
        this.events.push({ kind: 'disposed', ...about });
      });
    } catch (failure) {
      this.events.push({ kind: 'disposeFailed', ...about, cause: failure });
      throw failure;
    }
  };
}
