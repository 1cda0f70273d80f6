import { BoundedMap } from '../bounded.js';
import type { InstanceFactory } from '../contracts/factory.js';
import type { Awaitable, ConnectionRecord } from '../contracts/record.js';
import type { Environment } from '../environment.js';
import { isThenable } from '../thenable.js';
import { within } from '../within.js';
import { Admission } from './admission.js';

/** Given by a stranger that asks for secrets: gets the function to call when that sender leaves. */
export type KeepLeave = (leave: () => void) => void;

/**
 * One call of `secrets`: queued → running → settled. A strangers' call that everyone has left while it was queued is
 * settled, and never made.
 */
interface Call {
  readonly version: string;
  readonly record: ConnectionRecord;
  state: 'queued' | 'running' | 'settled';
  /** A promise, or the value once the promise has resolved. */
  value: unknown;
  /** A hydrate has a permit and a deadline of its own, so it does not share this call while it runs. */
  readonly isStrangers: boolean;
  /** Senders that are not authenticated yet and still wait for this call. */
  askers: number;
  /** The strangers' call for the same version that this one, of a hydrate, stands in for. */
  readonly replaced: Call | undefined;
  start(): Promise<void>;
}

/** Connections whose secrets are kept. */
const MAX_KEPT = 10_000;
/**
 * Concurrent calls of one factory's `secrets` for unauthenticated senders, which hold no permit to hydrate. Without this
 * limit, forgeries for thousands of connections would cause as many calls to the vault.
 */
const MAX_CONCURRENT = 64;

/** The results of `factory.secrets`, per id and version. Concurrent callers share one call. A failure is not kept. */
export class Secrets<R extends ConnectionRecord> {
  /** Running calls whose unauthenticated senders have all left. */
  orphaned = 0;
  readonly #kept = new BoundedMap<Call>(MAX_KEPT);
  readonly #forgotten = new WeakSet<object>();
  readonly #env: Pick<Environment<R, unknown>, 'clock' | 'apart'>;
  readonly #timeoutMs: number;
  /** Each factory has a queue of its own, so that one platform's vault that hangs delays no other platform. */
  readonly #turns = new Admission<Call>(Infinity, Infinity, (call, free) => void call.start().then(free));

  /** @param timeoutMs - then a call counts as failed, because it may hang */
  constructor(env: Pick<Environment<R, any>, 'clock' | 'apart'>, timeoutMs: number) {
    this.#env = env;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * The secrets of this record, whether or not its factory has any. The value itself if it is known, so that the caller
   * need not wait.
   *
   * @param keepLeave - without it a hydrate asks. A hydrate neither queues behind strangers nor waits for a call of theirs.
   */
  of(record: R, factory: InstanceFactory<R, any>, keepLeave?: KeepLeave): Awaitable<unknown> {
    if (factory.secrets === undefined) return undefined;
    const kept = this.#keptFor(record);
    if (kept !== undefined) {
      if (kept.state === 'settled' || (keepLeave === undefined && !kept.isStrangers)) return kept.value as Awaitable<unknown>;
      if (keepLeave !== undefined) return this.#joined(kept, keepLeave);
    }
    const call = this.#newCall(record, factory, keepLeave !== undefined, kept);
    const value = call.value as Promise<unknown>;
    this.#kept.set(record.id, call);
    // Only now, because `secrets` may itself call `invalidate`.
    if (keepLeave === undefined) {
      void call.start();
    } else {
      this.#joined(call, keepLeave);
      this.#turns.enter(call, factory, MAX_CONCURRENT);
    }
    return value;
  }

  /** Secrets that are already loaded. */
  loaded(record: R): { readonly value: unknown } | undefined {
    const call = this.#keptFor(record);
    return call?.state === 'settled' ? call : undefined;
  }

  #keptFor({ id, version }: R): Call | undefined {
    const call = this.#kept.get(id);
    return call?.version === String(version) ? call : undefined;
  }

  #newCall(
    record: R, factory: InstanceFactory<R, any>, isStrangers: boolean, replaced: Call | undefined,
  ): Call {
    const { id } = record;
    let settle!: (value: unknown) => void;
    const value = new Promise<unknown>((resolve) => { settle = resolve; });
    const call: Call = {
      version: String(record.version), record, state: 'queued', value, isStrangers, askers: 0, replaced,
      start: async () => {
        const other = this.#kept.get(id);
        // A hydrate did not wait for this call's turn.
        if (other !== call && other?.version === call.version && other.state !== 'queued') return settle(other.value);
        // It was invalidated while it waited for its turn. It is made only now, so its result is a new one.
        if (other === undefined || (other !== call && other.version === call.version)) this.#kept.set(id, call);
        call.state = 'running';
        settle(this.#call(record, factory));
        await value.catch(() => undefined);
      },
    };
    const isKept = (): boolean => this.#kept.get(id) === call;
    const ended = (): void => {
      if (call.state === 'running' && isStrangers && call.askers === 0) this.orphaned -= 1;
      call.state = 'settled';
    };
    value.then(
      (resolved) => { ended(); call.value = resolved; },
      () => {
        ended();
        if (!isKept()) return;
        // Strangers who come now share the call that still runs for others.
        if (replaced === undefined || replaced.state === 'settled') this.#kept.delete(id);
        else this.#kept.set(id, replaced);
      },
    );
    return call;
  }

  /** One more stranger waits for a call. A queued call without a waiter is not made. */
  #joined(call: Call, keepLeave: KeepLeave): Awaitable<unknown> {
    if (call.isStrangers && call.state === 'running' && call.askers === 0) this.orphaned -= 1;
    call.askers += 1;
    let isHere = true;
    keepLeave(() => {
      if (!isHere) return;
      isHere = false;
      call.askers -= 1;
      if (call.askers > 0 || !call.isStrangers) return;
      if (call.state === 'running') {
        this.orphaned += 1;
      } else if (call.state === 'queued') {
        this.#turns.leave(call);
        call.state = 'settled';
        if (this.#kept.get(call.record.id) === call) this.#kept.delete(call.record.id);
      }
    });
    return call.value as Awaitable<unknown>;
  }

  #note(call: Call | undefined): void {
    for (let each = call; each !== undefined; each = each.replaced) {
      if (each.state === 'running') this.#forgotten.add(each.value as Promise<unknown>);
    }
  }

  /** Whether this call was forgotten before it settled. */
  wasForgotten(call: unknown): boolean {
    return isThenable(call) && this.#forgotten.has(call);
  }

  /** Whether the secrets of this record are already loaded. */
  has(record: R): boolean {
    return this.#keptFor(record) !== undefined;
  }

  forget(id: string): void {
    this.#note(this.#kept.get(id));
    this.#kept.delete(id);
  }

  forgetWhere(matches: (record: R) => boolean): void {
    this.#kept.deleteWhere((call) => {
      const found = matches(call.record as R);
      if (found) this.#note(call);
      return found;
    });
  }

  /** Async, so that what the factory throws rejects. */
  async #call(record: R, factory: InstanceFactory<R, any>): Promise<unknown> {
    const controller = new AbortController();
    const { signal } = controller;
    const answer = this.#env.apart(record, () => factory.secrets?.(record, { signal }));
    if (!isThenable(answer)) return answer;
    return within(this.#env.clock, this.#timeoutMs, answer, () => {
      const error = new Error(`secrets has not settled within hydrationTimeoutMs (${this.#timeoutMs} ms)`);
      controller.abort(error);
      throw error;
    });
  }
}
