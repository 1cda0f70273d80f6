import { MAX_ID_LENGTH } from '../ids.js';
import type { ConnectionRecord } from '../contracts/record.js';
import type { RunnerEnvironment } from './environment.js';
import { Hints } from './hints.js';
import { Listed } from './listed.js';
import type { ListedConnection } from './options.js';

/** A listing that takes longer counts as failed. */
const LIST_TIMEOUT_MS = 30_000;
/** Hints in a burst cause one listing. */
const HINT_SPACING_MS = 100;
/** The pause between listings, as a multiple of the last one's duration: listing a large fleet is work for the database. */
const REST_PER_LISTING = 9;

/** The connections to own, from the last listing that succeeded. One listing is under way at a time. */
export class Listing<R extends ConnectionRecord, I> {
  readonly #environment: RunnerEnvironment<R, I>;
  readonly #changed: (grown: boolean) => void;
  #listed = Listed.none;
  #known = false;
  #current: Promise<void> | undefined;
  /** Follows the current listing, which began before the hint that requested this one. */
  #next: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  #listedAt = 0;
  /** Before this time no hint and no interval causes another listing. */
  #restsUntil = 0;
  #cancel: (() => void) | undefined;
  #hints: Hints<R, I> | undefined;

  /** @param changed - called when a listing differs from the last one, and told whether it contains another id */
  constructor(environment: RunnerEnvironment<R, I>, changed: (grown: boolean) => void) {
    this.#environment = environment;
    this.#changed = changed;
  }

  /** Whether there has been a listing. */
  get known(): boolean {
    return this.#known;
  }

  /** Sorted, so that all replicas see the same order. The same array until other ids are listed. */
  get ids(): readonly string[] {
    return this.#listed.ids;
  }

  has(id: string): boolean {
    return this.#listed.has(id);
  }

  version(id: string): string | undefined {
    return this.#listed.version(id);
  }

  start(): void {
    void this.refresh();
    const { watch, listIntervalMs } = this.#environment.options;
    if (watch === undefined) return;
    const hint = (): void => this.#soon(HINT_SPACING_MS);
    this.#hints = new Hints(
      this.#environment,
      listIntervalMs,
      () => watch({ changed: hint, gap: hint }),
      (error) => this.#failed(error),
    );
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#hints?.stop();
  }

  /** Lists now. Resolves when a listing that began after this call has been taken or has failed. */
  refresh(): Promise<void> {
    if (this.#next !== undefined) return this.#next;
    if (this.#current === undefined) return this.#list();
    return this.#next = this.#current.then(() => {
      this.#next = undefined;
      return this.#list();
    });
  }

  /** Lists when the last listing is `spacingMs` old. A listing under way began before the hint, so another one follows. */
  #soon(spacingMs: number): void {
    if (this.#stopped) return;
    if (this.#current !== undefined) {
      this.#again = true;
      return;
    }
    this.#cancel?.();
    const { clock } = this.#environment;
    const wait = Math.max(0, Math.max(this.#listedAt + spacingMs, this.#restsUntil) - clock.monotonic());
    this.#cancel = clock.setTimeout(() => void this.refresh(), wait, { ref: true });
  }

  async #list(): Promise<void> {
    if (this.#stopped) return;
    this.#cancel?.();
    this.#listedAt = this.#environment.clock.monotonic();
    // A step later, so that a `list` that calls back in at once finds the listing under way.
    await (this.#current = Promise.resolve().then(() => this.#read()));
  }

  async #read(): Promise<void> {
    const { clock, options: { list, listIntervalMs } } = this.#environment;
    try {
      const listed = await this.#environment.request(LIST_TIMEOUT_MS, () => list());
      if (!this.#stopped) this.#take(listed);
      const now = clock.monotonic();
      this.#restsUntil = now + REST_PER_LISTING * (now - this.#listedAt);
    } catch (error) {
      if (!this.#stopped) this.#failed(error);
    }
    this.#current = undefined;
    const spacingMs = this.#again ? HINT_SPACING_MS : listIntervalMs;
    this.#again = false;
    this.#soon(spacingMs);
  }

  #take(listed: readonly (string | ListedConnection)[]): void {
    const before = this.#listed;
    const { run } = this.#environment.options;
    const { listed: latest, refused } = Listed.read(listed, before, run === undefined);
    if (refused > 0) {
      this.#failed(
        new TypeError(
          `list: ignored ${refused} entries that are not ids: expected text of 1 to ${MAX_ID_LENGTH} characters, `
            + 'well-formed and without NUL',
        ),
      );
    }
    [this.#listed, this.#known] = [latest, true];
    if (latest !== before) this.#changed(latest.hasMoreThan(before));
  }

  #failed(error: unknown): void {
    this.#environment.emit('listFailed', { error });
  }
}
