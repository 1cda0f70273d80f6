import type { Backoff } from '../backoff.js';
import type { Awaitable, ConnectionRecord } from '../contracts/record.js';
import type { Environment } from '../environment.js';
import { ConnectionError } from '../errors.js';
import type { Slot } from '../slot/state.js';
import { servingOf } from '../slot/fallback.js';
import type { Slots } from '../slot/slots.js';
import type { Creating, Pending } from '../slot/state.js';
import { isThenable } from '../thenable.js';
import type { FreePermit } from './admission.js';
import { CreateContext } from './create-context.js';
import { permanentFailure } from './permanent-failure.js';
import type { Secrets } from './secrets.js';

/**
 * One `create`, from its permit to its result. Applies the result to the slot, its waiters and the back-off of its version.
 * `create` may settle synchronously, after its time-out, or never. The permit is held until it settles or times out.
 */
export class Hydration<R extends ConnectionRecord, I> {
  readonly #slot: Slot<R, I>;
  readonly #env: Environment<R, I>;
  readonly #slots: Slots<R, I>;
  readonly #backoff: Backoff;
  readonly #secrets: Secrets<R>;
  readonly #free: FreePermit;
  readonly #context: CreateContext<R, I>;
  #cancelTimeout: (() => void) | undefined;

  constructor(
    slot: Slot<R, I>,
    env: Environment<R, I>,
    slots: Slots<R, I>,
    backoff: Backoff,
    secrets: Secrets<R>,
    free: FreePermit,
  ) {
    this.#slot = slot;
    this.#env = env;
    this.#slots = slots;
    this.#backoff = backoff;
    this.#secrets = secrets;
    this.#free = free;
    this.#context = new CreateContext(slots, slot);
  }

  /** Call it in the registry's own async context: all that follows stays in it. */
  run(): void {
    this.#slots.beginning.toCreating(this.#slot, this.#slot.state as Pending<R, I>, this.#context);
    let result: Awaitable<I>;
    let pending: boolean;
    try {
      result = this.#create();
      // Inside the try, because a proxy may throw when it is asked for `then`.
      pending = isThenable(result);
    } catch (error) {
      return this.#failed(error);
    }
    if (!pending) return this.#created(result as I);
    this.#startTimeout();
    try {
      Promise.resolve(result).then(
        (instance) => this.#created(instance),
        (error: unknown) => this.#failed(error),
      );
    } catch (error) {
      // A promise may have a `then` of its own that throws.
      this.#failed(error);
    }
  }

  #create(): Awaitable<I> {
    const { record, factory } = this.#slot;
    this.#throwIfPermanent();
    const secrets = this.#secrets.of(record, factory);
    const create = (resolved: unknown): Awaitable<I> => {
      this.#throwIfPermanent();
      this.#context.secrets = this.#slot.secrets = resolved;
      return this.#env.around(record, () => factory.create(record, this.#context));
    };
    if (!isThenable(secrets)) return create(secrets);
    return Promise.resolve(secrets).then((resolved) => {
      // Given up while the secrets were fetched: nothing was created, and nothing is to be.
      if (this.#slot.state.kind !== 'creating') throw new Error('unused');
      return create(resolved);
    });
  }

  /** While this one waited, a webhook's call of `secrets` may have failed permanently for this version. */
  #throwIfPermanent(): void {
    const permanent = this.#backoff.permanent(this.#slot.id, this.#slot.version);
    if (permanent !== undefined) throw permanent;
  }

  #startTimeout(): void {
    const {
      clock,
      options: { hydrationTimeoutMs },
    } = this.#env;
    if (hydrationTimeoutMs === Infinity) return;
    this.#cancelTimeout = clock.setTimeout(() => this.#timedOut(hydrationTimeoutMs), hydrationTimeoutMs, { ref: true });
  }

  /** It has made an instance, in time or late. */
  #created(instance: I): void {
    const slot = this.#slot;
    const slots = this.#slots;
    const context = this.#context;
    const { state, id, version } = slot;
    if (state.kind === 'abandoned') {
      context.settled('ended');
      slots.beginning.discard(slot, context, instance, { reason: state.reason, cause: undefined });
    } else if (state.kind === 'creating' && context.retired !== undefined) {
      const { cause } = context.retired;
      context.settled('ended');
      this.#env.emit('retired', { id, version, cause });
      const error = this.#failure(state, 'HYDRATION_FAILED', 'reported itself dead while it was hydrated', cause);
      slots.beginning.discard(slot, context, instance, { reason: 'retired', cause });
      this.#settleWaiters(state, error);
    } else if (state.kind === 'creating') {
      context.settled('created');
      const failures = this.#backoff.count(id, version);
      // Failures of an older version, too: they must not hide it when this instance dies young.
      if (state.superseded === undefined) this.#backoff.clear(id);
      slots.toLive(slot, state, instance, failures);
      const durationMs = this.#env.clock.monotonic() - state.startedAt;
      this.#env.emit('hydrated', { id, version, durationMs, afterFailures: Math.ceil(failures) });
    }
    this.#end();
  }

  /** It threw or rejected, in time or late. */
  #failed(cause: unknown): void {
    const slot = this.#slot;
    const { state } = slot;
    this.#context.settled('ended');
    if (state.kind === 'abandoned') {
      this.#slots.beginning.fail(slot, state);
    } else if (state.kind === 'creating') {
      const error = this.#failure(state, 'HYDRATION_FAILED', 'could not be hydrated', cause, permanentFailure(slot.id, cause));
      this.#slots.beginning.fail(slot, state);
      this.#settleWaiters(state, error);
    }
    this.#end();
  }

  /** It has not settled in time. It may yet. */
  #timedOut(hydrationTimeoutMs: number): void {
    const slot = this.#slot;
    const { state } = slot;
    if (state.kind === 'abandoned') {
      this.#slots.beginning.noLongerAwaited(slot, state);
    } else if (state.kind === 'creating') {
      const error = this.#failure(state, 'HYDRATION_TIMEOUT', `was not hydrated within ${hydrationTimeoutMs} ms`, undefined);
      this.#slots.beginning.abandon(slot, state, 'unused', true);
      this.#settleWaiters(state, error);
      state.create.abort(error);
    }
    this.#end();
  }

  #end(): void {
    this.#cancelTimeout?.();
    this.#env.effects.flush();
    this.#free();
  }

  /** Notes a failure and emits it. A superseded slot's says nothing about the row's current version. */
  #failure(
    state: Creating<R, I>,
    code: 'HYDRATION_FAILED' | 'HYDRATION_TIMEOUT',
    what: string,
    cause: unknown,
    permanent?: ConnectionError,
  ): ConnectionError {
    const { id, version, record } = this.#slot;
    const { count, delayMs } =
      state.superseded !== undefined
        ? { count: 1, delayMs: 0 }
        : permanent === undefined
          ? this.#backoff.fail(id, version, record)
          : this.#backoff.failForGood(id, version, permanent, record);
    const error =
      permanent ?? new ConnectionError(code, `Connection '${id}' ${what}`, { connectionId: id, retryAfterMs: delayMs, cause });
    this.#env.emit('hydrationFailed', { id, version, error, failures: count, retryAfterMs: delayMs });
    return error;
  }

  /** The waiters of a slot that failed get the last good instance if there is one, otherwise the failure. */
  #settleWaiters({ waiters, fallback }: Creating<R, I>, error: ConnectionError): void {
    const slots = this.#slots;
    const { id } = this.#slot;
    if (fallback?.state.kind === 'live' && !slots.index.has(id)) slots.install(fallback);
    // The fallback may have been handed on to the hydrating slot of a newer version.
    const lastGood = this.#env.options.keepLastGood ? servingOf(slots.index.get(id)) : undefined;
    for (const waiter of waiters) {
      if (lastGood === undefined) {
        waiter.fail(error);
      } else {
        slots.hold(lastGood);
        waiter.deliver(lastGood);
      }
    }
    if (fallback !== undefined) slots.release(fallback);
  }
}
