import type { Backoff } from './backoff.js';
import type { ConnectionRecord } from './contracts/record.js';
import type { Environment } from './environment.js';
import type { Secrets } from './hydrate/secrets.js';
import type { Reader } from './reads/reader.js';
import type { UnknownIds } from './reads/unknown-ids.js';
import { isHydrating, type Slot } from './slot/state.js';
import { withFallback } from './slot/fallback.js';
import type { Slots } from './slot/slots.js';

/** Forgets everything that is known of connections, so that their next use starts anew. */
export class Invalidation<R extends ConnectionRecord, I> {
  readonly #env: Environment<R, I>;
  readonly #slots: Slots<R, I>;
  readonly #reader: Reader<R>;
  readonly #unknown: UnknownIds;
  /** The back-offs of hydrates, and of webhooks that are not authenticated yet. */
  readonly #backoffs: readonly Backoff[];
  readonly #secrets: Secrets<R>;

  constructor(
    env: Environment<R, I>,
    slots: Slots<R, I>,
    reader: Reader<R>,
    unknown: UnknownIds,
    backoffs: readonly Backoff[],
    secrets: Secrets<R>,
  ) {
    this.#env = env;
    this.#slots = slots;
    this.#reader = reader;
    this.#unknown = unknown;
    this.#backoffs = backoffs;
    this.#secrets = secrets;
  }

  /** Resolves when everything that this call has ended is gone. */
  one(id: string): Promise<void> {
    this.#unknown.forget(id);
    for (const backoff of this.#backoffs) backoff.clear(id);
    this.#secrets.forget(id);
    const read = this.#bornOf(id, (applied) => this.#reader.markInvalidated(id, applied));
    const slots = this.#slots;
    const before = new Set(slots.departing.of(id));
    const current = slots.index.get(id);
    if (current !== undefined) slots.supersede(current, 'invalidated');
    const ended = [...slots.departing.of(id)].filter((slot) => !before.has(slot));
    this.#env.effects.flush();
    return this.#gone([this.#allGone(ended), read]);
  }

  /** The same for all connections whose row matches. A predicate that throws on a row matches it. */
  where(predicate: (record: R) => boolean): Promise<void> {
    const matches = (record: R): boolean => {
      try {
        return predicate(record);
      } catch {
        return true;
      }
    };
    const slots = this.#slots;
    const found: string[] = [];
    // User code runs while nothing changes.
    for (const slot of slots.index.values())
      if (withFallback(slot).some(({ record }) => matches(record))) found.push(slot.id);
    for (const backoff of this.#backoffs) backoff.clearWhere((row) => matches(row as R));
    this.#secrets.forgetWhere(matches);
    const ended = found.map((id) => this.one(id));
    // Their rows are not known yet. Each is judged when it comes.
    for (const id of this.#reader.onWire())
      ended.push(this.#bornOf(id, (applied) => this.#reader.markInvalidated(id, applied, matches)));
    return this.#gone(ended);
  }

  /** An instance of a row whose read is on the wire is superseded when it is created, and its waiters get it. */
  #bornOf(id: string, mark: (applied: () => void) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const { departing } = this.#slots;
      const before = new Set(departing.of(id));
      const isOnWire = mark(() => {
        const born = [...departing.of(id)].filter((slot) => !before.has(slot) && isInvalidated(slot));
        resolve(this.#allGone(born));
      });
      if (!isOnWire) resolve();
    });
  }

  #allGone(slots: readonly Slot<R, I>[]): Promise<void> {
    return this.#gone(slots.map((slot) => this.#slots.ending.whenGone(slot)));
  }

  async #gone(all: readonly Promise<void>[]): Promise<void> {
    await Promise.all(all);
  }
}

function isInvalidated({ state }: Slot<any, any>): boolean {
  if (isHydrating(state)) return state.superseded?.reason === 'invalidated';
  return state.kind === 'draining' && state.reason === 'invalidated';
}
