import pLimit, { type LimitFunction } from 'p-limit';
import { BoundedMap } from '../bounded.js';
import type { InstanceFactory } from '../contracts/factory.js';
import type { Awaitable, ConnectionRecord } from '../contracts/record.js';
import type { Environment } from '../environment.js';
import { isThenable } from '../thenable.js';
import { within } from '../within.js';

interface Entry {
  readonly version: string;
  readonly record: ConnectionRecord;
  value: unknown;
  /** Nobody has been asked yet: the call waits for its turn. */
  waiting: boolean;
}

/** Connections whose secrets are kept. */
const MAX_KEPT = 10_000;
/**
 * Calls of one factory's `secrets` that run at a time for senders who are not authenticated yet and hold no permit to
 * hydrate: without a bound of their own, forgeries for thousands of connections would be as many calls to the vault.
 */
const MAX_CONCURRENT = 64;

/** What `factory.secrets` resolved, kept per id and version. Concurrent askers share one call; a failure is not kept. */
export class Secrets<R extends ConnectionRecord> {
  readonly #kept = new BoundedMap<Entry>(MAX_KEPT);
  readonly #env: Pick<Environment<R, unknown>, 'clock' | 'apart'>;
  readonly #timeoutMs: number;
  readonly #limits = new WeakMap<object, LimitFunction>();

  /** @param timeoutMs - after which a call counts as failed, so that one that hangs is not asked for ever */
  constructor(env: Pick<Environment<R, any>, 'clock' | 'apart'>, timeoutMs: number) {
    this.#env = env;
    this.#timeoutMs = timeoutMs;
  }

  /** Of this record, whether or not its factory has any. */
  of(record: R, factory: InstanceFactory<R, any>, permitted: boolean): Awaitable<unknown> {
    if (factory.secrets === undefined) return undefined;
    return this.get(factory, record, (signal) => this.#env.apart(record, () => factory.secrets?.(record, { signal })), permitted);
  }

  /**
   * The value itself where it is known already, so that who has it need not wait.
   *
   * @param ask - calls the factory; what it throws rejects
   * @param permitted - a hydrate asks: it holds a permit of its own and does not stand in line behind strangers
   */
  get(factory: object, record: R, ask: (signal: AbortSignal) => Awaitable<unknown>, permitted: boolean): Awaitable<unknown> {
    const { id } = record;
    const version = String(record.version);
    const kept = this.#kept.get(id);
    if (kept?.version === version && !(permitted && kept.waiting)) return kept.value as Awaitable<unknown>;
    const entry: Entry = { version, record, value: undefined, waiting: !permitted };
    let call!: () => void;
    const value: Promise<unknown> = permitted
      ? new Promise((resolve) => {
          call = () => resolve(this.#call(ask));
        })
      : this.#limitOf(factory)(() => {
          entry.waiting = false;
          // A hydrate did not wait for this one's turn.
          const other = this.#kept.get(id);
          // One that waits for its turn itself must not be waited for: this one holds the place that it waits for.
          if (other !== entry && other?.version === version && !other.waiting) return other.value;
          // Invalidated while it waited for its turn, it is asked for only now.
          if (other === undefined || (other.version === version && other.waiting)) this.#kept.set(id, entry);
          return this.#call(ask);
        });
    entry.value = value;
    this.#kept.set(id, entry);
    // Only now, because `secrets` may itself call `invalidate`.
    if (permitted) call();
    value.then(
      (resolved) => { if (this.#kept.get(id) === entry) entry.value = resolved; },
      () => { if (this.#kept.get(id) === entry) this.#kept.delete(id); },
    );
    return value;
  }

  readonly #forgotten = new WeakSet<object>();

  #note(entry: Entry | undefined): void {
    if (entry !== undefined && isThenable(entry.value)) this.#forgotten.add(entry.value);
  }

  /** Whether this call was forgotten before it settled. */
  wasForgotten(call: unknown): boolean {
    return isThenable(call) && this.#forgotten.has(call);
  }

  /** Whether they need not be asked for. */
  has({ id, version }: R): boolean {
    return this.#kept.get(id)?.version === String(version);
  }

  forget(id: string): void {
    this.#note(this.#kept.get(id));
    this.#kept.delete(id);
  }

  forgetWhere(matches: (record: R) => boolean): void {
    this.#kept.deleteWhere((entry) => {
      const found = matches(entry.record as R);
      if (found) this.#note(entry);
      return found;
    });
  }

  /** One platform's vault that hangs stands in nobody else's way. */
  #limitOf(factory: object): LimitFunction {
    let limit = this.#limits.get(factory);
    if (limit === undefined) this.#limits.set(factory, limit = pLimit(MAX_CONCURRENT));
    return limit;
  }

  async #call(ask: (signal: AbortSignal) => Awaitable<unknown>): Promise<unknown> {
    const controller = new AbortController();
    const answer = ask(controller.signal);
    if (!isThenable(answer)) return answer;
    return within(this.#env.clock, this.#timeoutMs, answer, () => {
      const error = new Error(`secrets has not settled within hydrationTimeoutMs (${this.#timeoutMs} ms)`);
      controller.abort(error);
      throw error;
    });
  }
}
