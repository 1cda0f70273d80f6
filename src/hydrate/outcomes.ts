import type { ConnectionRecord } from '../contracts/record.js';
import { ConnectionError } from '../errors.js';
import type { Slot } from '../slot/slot.js';
import type { Creating } from '../slot/state.js';
import type { CreateContext } from './context.js';
import type { HydratorHost } from './hydrator-host.js';

/** What comes of a `create`: for its slot, for those who wait for it, and for the back-off of its version. */
export class Outcomes<R extends ConnectionRecord, I> {
  readonly #host: HydratorHost<R, I>;
  /** Failed attempts before a live instance, for one that dies young. Only where there were any. */
  readonly #earlierFailures = new WeakMap<Slot<R, I>, number>();

  constructor(host: HydratorHost<R, I>) {
    this.#host = host;
  }

  /** It has made an instance, in time or late. */
  created(slot: Slot<R, I>, context: CreateContext<Slot<R, I>>, instance: I): void {
    const { slots, backoff, clock } = this.#host;
    const { state, id, version } = slot;
    if (state.kind === 'abandoned') {
      context.settled('ended');
      slots.discard(slot, context, instance, { reason: state.reason, cause: undefined });
    } else if (state.kind === 'creating') {
      if (context.retired === undefined) {
        context.settled('created');
        const afterFailures = backoff.count(id, version);
        if (afterFailures > 0) {
          this.#earlierFailures.set(slot, afterFailures);
          if (state.superseded === undefined) backoff.clear(id);
        }
        slots.live(slot, state, instance);
        this.#host.emit('hydrated', { id, version, durationMs: clock.monotonic() - state.startedAt, afterFailures });
      } else {
        const { cause } = context.retired;
        context.settled('ended');
        this.#host.emit('retired', { id, version, cause });
        const error = this.#failure(slot, state, 'HYDRATION_FAILED', 'reported itself dead while it was hydrated', cause);
        slots.discard(slot, context, instance, { reason: 'retired', cause });
        this.#tell(slot, state, error);
      }
    }
    slots.effects.flush();
  }

  /** It threw or rejected, in time or late. */
  failed(slot: Slot<R, I>, context: CreateContext<Slot<R, I>>, cause: unknown): void {
    const { slots } = this.#host;
    const { state } = slot;
    context.settled('ended');
    if (state.kind === 'abandoned') {
      slots.failed(slot, state);
    } else if (state.kind === 'creating') {
      const error = this.#failure(slot, state, 'HYDRATION_FAILED', 'could not be hydrated', cause);
      slots.failed(slot, state);
      this.#tell(slot, state, error);
    }
    slots.effects.flush();
  }

  /** It has not settled in time. It may yet. */
  timedOut(slot: Slot<R, I>, hydrationTimeoutMs: number): void {
    const { slots } = this.#host;
    const { state } = slot;
    if (state.kind === 'abandoned') {
      slots.noLongerAwaited(slot, state);
    } else if (state.kind === 'creating') {
      const error = this.#failure(slot, state, 'HYDRATION_TIMEOUT', `was not hydrated within ${hydrationTimeoutMs} ms`, undefined);
      slots.abandon(slot, state, 'unused', true);
      this.#tell(slot, state, error);
      state.create.abort(error);
    }
    slots.effects.flush();
  }

  /** The instance that it made was reported dead: `inUse` by a lease, else by itself. */
  retired(slot: Slot<R, I>, inUse: boolean): void {
    const { backoff } = this.#host;
    const { id, version, hydratedAt } = slot;
    // The row has moved on to a version that is being left alone: the end of an older one must not end that.
    if (backoff.leavesAnotherAlone(id, version)) return;
    const earlier = this.#earlierFailures.get(slot) ?? 0;
    backoff.died(id, version, hydratedAt, earlier, inUse);
  }

  /** Notes a failure. A superseded slot's says nothing about the row's current version. */
  #failure(
    slot: Slot<R, I>, state: Creating<R, I>, code: 'HYDRATION_FAILED' | 'HYDRATION_TIMEOUT', what: string, cause: unknown,
  ): ConnectionError {
    const { backoff } = this.#host;
    const { id, version } = slot;
    const current = state.superseded === undefined;
    const { count, delayMs } = current
      ? backoff.fail(id, version)
      : { count: 1, delayMs: 0 };
    const error = new ConnectionError(code, `Connection '${id}' ${what}`, { connectionId: id, retryAfterMs: delayMs, cause });
    this.#host.emit('hydrationFailed', { id, version, error, failures: count, retryAfterMs: delayMs });
    return error;
  }

  /** The waiters of a slot that failed get the last good instance where there is one, else the failure. */
  #tell(slot: Slot<R, I>, { waiters, fallback }: Creating<R, I>, error: ConnectionError): void {
    const { slots, limits: { keepLastGood } } = this.#host;
    if (fallback?.state.kind === 'live' && !slots.index.has(slot.id)) slots.install(fallback);
    // Or that of a newer version on its way, to which it was handed on.
    const serving = keepLastGood ? slots.lastGood(slots.index.get(slot.id)) : undefined;
    for (const waiter of waiters) {
      if (serving === undefined) {
        waiter.fail(error);
      } else {
        slots.hold(serving);
        waiter.deliver(serving);
      }
    }
    if (fallback !== undefined) slots.release(fallback);
  }
}
