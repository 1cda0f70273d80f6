import { Backoff } from '../backoff.js';
import type { Awaitable, ConnectionRecord } from '../contracts/record.js';
import type { Environment } from '../environment.js';
import { ConnectionError } from '../errors.js';
import { permanentFailure } from '../hydrate/permanent-failure.js';
import { backingOff } from '../hydrate/refusals.js';
import type { KeepLeave, Secrets } from '../hydrate/secrets.js';
import type { Slot } from '../slot/state.js';
import type { Slots } from '../slot/slots.js';

/**
 * The longest back-off that senders who are not authenticated can cause. Genuine deliveries wait it out too, because
 * nobody can tell them apart yet.
 */
const MAX_BACKOFF_MS = 5_000;

/**
 * The secrets that strangers are authenticated with. After a failure the vault is left alone for a while, because the
 * request may be forged.
 */
export class StrangerSecrets<R extends ConnectionRecord, I> {
  /** Failed calls of `secrets` on behalf of strangers. They never refuse a use or a hydrate. */
  readonly backoff: Backoff;
  readonly #env: Environment<R, I>;
  readonly #slots: Slots<R, I>;
  readonly #hydrationBackoff: Backoff;
  readonly #secrets: Secrets<R>;
  /** By the call. */
  readonly #failures = new WeakMap<object, ConnectionError>();

  constructor(env: Environment<R, I>, slots: Slots<R, I>, hydrationBackoff: Backoff, secrets: Secrets<R>) {
    this.#env = env;
    this.#slots = slots;
    this.#hydrationBackoff = hydrationBackoff;
    this.#secrets = secrets;
    const { clock, options: { failureBackoff: { initialMs, maxMs } } } = env;
    this.backoff = new Backoff(
      { initialMs: Math.min(initialMs, MAX_BACKOFF_MS), maxMs: Math.min(maxMs, MAX_BACKOFF_MS) },
      clock,
    );
  }

  /**
   * The secrets of a row, whether or not there is an instance of it.
   *
   * @throws ConnectionError `HYDRATION_FAILED`, `BACKING_OFF`
   */
  of(slot: Slot<R, I>, keepLeave: KeepLeave): Awaitable<unknown> {
    if (slot.factory.secrets === undefined) return undefined;
    if (slot.state.kind === 'live') return slot.secrets;
    const loaded = this.#secrets.loaded(slot.record);
    return loaded === undefined ? this.#ask(slot, keepLeave) : loaded.value;
  }

  async #ask(slot: Slot<R, I>, keepLeave: KeepLeave): Promise<unknown> {
    const { id, record, version, factory } = slot;
    if (!this.#secrets.has(record)) {
      const permanent = this.#hydrationBackoff.permanent(id, version);
      if (permanent !== undefined) throw permanent;
      const remainingMs = Math.max(this.#hydrationBackoff.remainingMs(id, version), this.backoff.remainingMs(id, version));
      if (remainingMs > 0) throw backingOff(id, remainingMs);
    }
    const call = this.#secrets.of(record, factory, keepLeave);
    try {
      const resolved = await call;
      if (!this.backoff.leavesAnotherAlone(id, version)) this.backoff.clear(id);
      return resolved;
    } catch (cause) {
      throw this.#failureOf(call as object, slot, cause);
    }
  }

  /** Senders who shared a call share its failure. */
  #failureOf(call: object, { id, record, version }: Slot<R, I>, cause: unknown): ConnectionError {
    const known = this.#failures.get(call);
    if (known !== undefined) return known;
    const permanent = permanentFailure(id, cause);
    // The failure of an older version must not hide that of a newer one, nor end its back-off.
    const isOlder = permanent === undefined
      ? this.backoff.leavesAnotherAlone(id, version)
      : this.#slots.index.get(id)?.version !== version;
    const { count, delayMs } = isOlder || this.#secrets.wasForgotten(call)
      ? { count: 1, delayMs: 0 }
      : permanent === undefined
        ? this.backoff.fail(id, version, record)
        : this.#hydrationBackoff.failForGood(id, version, permanent, record);
    const error = permanent ?? new ConnectionError('HYDRATION_FAILED', `The secrets of connection '${id}' were not resolved`, {
      connectionId: id, retryAfterMs: delayMs, cause,
    });
    this.#failures.set(call, error);
    this.#env.emit('hydrationFailed', { id, version, error, failures: count, retryAfterMs: delayMs });
    this.#env.effects.flush();
    return error;
  }
}
