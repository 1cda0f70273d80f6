import type { ConnectionStatus, ConnectionStore, StoreListener, StoreReadOptions, Version } from 'hydrant';
import { ConnectionError } from 'hydrant';
import { platformOf } from './queries.js';
import type { Moment, Read, Row, Sighting } from './observed.js';
import type { Model } from './model.js';
import { outside, type Pending, type World } from './world.js';

interface Stored { readonly version: number; readonly status: ConnectionStatus; readonly broken: boolean }

const CONTENTS = [0, 1, 0, 0, 2, 1, 2] as const;

/** A change of the table, as it was committed. `row` is undefined for a delete. */
export interface Commit { readonly at: Moment; readonly row: Stored | undefined }

/**
 * The table and the wire to it. Every read is executed at one moment and answered at another; what it saw is on record.
 */
export class SimulatedStore {
  readonly #world: World;
  readonly #model: Model;
  readonly #table = new Map<string, Stored>();
  readonly commits = new Map<string, Commit[]>();
  #versions = 0;
  readonly #edits = new Map<string, number>();
  #listener: StoreListener | undefined;
  readonly store: ConnectionStore<Row>;

  constructor(world: World, model: Model) {
    this.#world = world;
    this.#model = model;
    const { getMany, getVersions, watch } = world.settings.store;
    this.store = {
      get: (id, options) => this.#read('get', [id], options, (read) => this.#row(id, read)),
      ...(getMany && {
        getMany: (ids: readonly string[], options?: StoreReadOptions) =>
          this.#read('getMany', ids, options, (read) => this.#rows(ids, read)),
      }),
      ...(getVersions && {
        getVersions: (ids: readonly string[], options?: StoreReadOptions) =>
          this.#read('getVersions', ids, options, (read) => this.#versionsOf(ids, read)),
      }),
      ...(watch && { watch: (listener: StoreListener) => this.#watch(listener) }),
    };
    for (let index = 0; index < world.settings.existing; index++) this.#commit(`c${index}`, 'active', false);
  }

  edit(id: string): void {
    this.#commit(id, 'active', false);
  }

  stop(id: string): void {
    if (this.#table.has(id)) this.#commit(id, 'stopped', false);
  }

  breakRow(id: string): void {
    if (this.#table.has(id)) this.#commit(id, 'active', true);
  }

  delete(id: string): void {
    if (!this.#table.delete(id)) return;
    this.#record(id, { at: this.#world.note(`deleted ${id}`), row: undefined });
  }

  hint(id: string): void {
    const at = this.#world.note(`hint ${id}${this.#listener === undefined ? ' (nobody listens)' : ''}`);
    if (this.#listener === undefined) return;
    this.#world.hints.push({ id, at });
    this.#listener.changed([id]);
  }

  gap(): void {
    if (this.#listener === undefined) return;
    this.#world.hints.push({ id: undefined, at: this.#world.note('gap') });
    this.#listener.gap();
  }

  get watched(): boolean {
    return this.#listener !== undefined;
  }

  /** The row that is committed now. */
  current(id: string): Sighting | undefined {
    return this.#see(id);
  }

  #commit(id: string, status: ConnectionStatus, broken: boolean): void {
    const row: Stored = { version: this.#nextVersion(id, status, broken), status, broken };
    this.#table.set(id, row);
    this.#record(id, { at: this.#world.note(`committed ${id} v${row.version} ${broken ? 'broken' : status}`), row });
  }

  /** The contents of a row go there and back, and some edits change nothing. */
  #nextVersion(id: string, status: ConnectionStatus, broken: boolean): number {
    if (this.#world.settings.versionOf === 'counter') return ++this.#versions;
    const edit = this.#edits.get(id) ?? 0;
    const stopped = status === 'stopped';
    // Stopping a row leaves its other fields unchanged.
    if (!stopped) this.#edits.set(id, edit + 1);
    const contents = CONTENTS[(stopped ? Math.max(0, edit - 1) : edit) % CONTENTS.length] ?? 0;
    return 4 * contents + (stopped ? 2 : 0) + (broken ? 1 : 0) + 1;
  }

  #record(id: string, commit: Commit): void {
    const commits = this.commits.get(id);
    if (commits === undefined) this.commits.set(id, [commit]);
    else commits.push(commit);
  }

  #see(id: string): Sighting | undefined {
    const row = this.#table.get(id);
    return row && { version: String(row.version), status: row.status, broken: row.broken };
  }

  #version(version: string): Version {
    const { versions } = this.#world.settings;
    return versions === 'string' ? version : versions === 'number' ? Number(version) : BigInt(version);
  }

  #asRow(id: string, sighting: Sighting, read: Read): Row {
    const platform =
      sighting.broken && this.#world.settings.brokenRows === 'platform' ? 'unheard-of' : platformOf(this.#world, id);
    return {
      id,
      version: this.#version(sighting.version),
      status: sighting.status,
      readNumber: read.n,
      platform,
      broken: sighting.broken,
    };
  }

  #isUnreadable({ broken }: Sighting): boolean {
    return broken && this.#world.settings.brokenRows === 'unreadable';
  }

  #row(id: string, read: Read): Row | undefined {
    const sighting = read.seen?.get(id);
    if (sighting !== undefined && this.#isUnreadable(sighting))
      throw new ConnectionError('INVALID_RECORD', 'this row cannot be read', { connectionId: id });
    return sighting && this.#asRow(id, sighting, read);
  }

  #rows(ids: readonly string[], read: Read): ReadonlyMap<string, Row> {
    const rows = new Map<string, Row>();
    for (const id of ids) {
      const sighting = read.seen?.get(id);
      if (sighting === undefined) continue;
      const error = new ConnectionError('INVALID_RECORD', 'this row cannot be read', { connectionId: id });
      rows.set(id, this.#isUnreadable(sighting) ? (error as unknown as Row) : this.#asRow(id, sighting, read));
    }
    return rows;
  }

  /** Versions have another type than those in the rows, because they must be compared as text. */
  #versionsOf(ids: readonly string[], read: Read): ReadonlyMap<string, Version> {
    return new Map(
      ids.flatMap((id) => {
        const sighting = read.seen?.get(id);
        return sighting === undefined ? [] : [[id, sighting.version] as const];
      }),
    );
  }

  #read<T>(
    kind: Read['kind'],
    ids: readonly string[],
    options: StoreReadOptions | undefined,
    result: (read: Read) => T,
  ): Promise<T> {
    const world = this.#world;
    const n = world.reads.length;
    const behaviour = world.next('read');
    const sent = world.note(`read ${n} ${kind} ${ids.join(' ')} (${behaviour})`);
    const read: Read = { n, kind, ids: [...ids], sent, signal: options?.signal, failed: false, late: false };
    world.reads.push(read);
    this.#model.readSent(read);
    const execute = (): void => {
      read.seen ??= new Map(
        ids.flatMap((id) => {
          const seen = this.#see(id);
          return seen ? [[id, seen] as const] : [];
        }),
      );
    };
    const answer = (failed: boolean): void => {
      read.answered = world.note(`read ${n} ${failed ? 'fails' : `answers ${this.#describe(read)}`}`);
      read.failed = failed;
      read.late = (read.signal?.aborted ?? false) || read.answered.t > sent.t + world.settings.storeTimeoutMs;
    };
    if (behaviour === 'throw') {
      answer(true);
      throw new Error(`read ${n} threw`);
    }
    if (behaviour === 'soon' || behaviour === 'fail') {
      execute();
      answer(behaviour === 'fail');
      return behaviour === 'fail'
        ? Promise.reject(new Error(`read ${n} failed`))
        : new Promise((resolve) => resolve(result(read)));
    }
    if (behaviour === 'atSend') execute();
    const { promise, resolve, reject } = outside<T>();
    let executed = behaviour !== 'between';
    const item: Pending = {
      kind: 'read',
      label: `read ${n}`,
      hung: behaviour === 'hang',
      settle: (fail) => {
        if (!executed) {
          executed = true;
          execute();
          return false;
        }
        execute();
        answer(fail);
        if (fail) reject(new Error(`read ${n} failed`));
        else
          try {
            resolve(result(read));
          } catch (error) {
            reject(error);
          }
        return true;
      },
    };
    world.await(item);
    return promise;
  }

  #describe(read: Read): string {
    return read.ids
      .map((id) => {
        const seen = read.seen?.get(id);
        return seen === undefined
          ? `${id}:none`
          : `${id}:v${seen.version}${seen.broken ? ':broken' : seen.status === 'active' ? '' : ':stopped'}`;
      })
      .join(' ');
  }

  #unsubscribe(): Promise<void> {
    const world = this.#world;
    this.#listener = undefined;
    const behaviour = world.next('watch');
    world.note(`unsubscribe (${behaviour})`);
    if (behaviour === 'throw') throw new Error('unsubscribing threw');
    if (behaviour === 'fail') return Promise.reject(new Error('unsubscribing failed'));
    if (behaviour === 'soon' || behaviour === 'now') return Promise.resolve();
    const { promise, resolve, reject } = outside<void>();
    world.await({
      kind: 'watch',
      label: 'unsubscribe',
      hung: behaviour === 'hang',
      settle: (fail) => {
        if (fail) reject(new Error('unsubscribing failed'));
        else resolve();
        return true;
      },
    });
    return promise;
  }

  #watch(listener: StoreListener): Promise<AsyncDisposable> {
    const world = this.#world;
    const behaviour = world.next('watch');
    world.note(`watch (${behaviour})`);
    const subscribe = (): AsyncDisposable => {
      this.#listener = listener;
      world.note('subscribed');
      this.gap();
      return { [Symbol.asyncDispose]: () => this.#unsubscribe() };
    };
    if (behaviour === 'throw') throw new Error('watch threw');
    if (behaviour === 'fail') return Promise.reject(new Error('watch failed'));
    if (behaviour === 'soon' || behaviour === 'now') return Promise.resolve(subscribe());
    const { promise, resolve, reject } = outside<AsyncDisposable>();
    world.await({
      kind: 'watch',
      label: 'watch',
      hung: behaviour === 'hang',
      settle: (fail) => {
        if (fail) reject(new Error('watch failed'));
        else resolve(subscribe());
        return true;
      },
    });
    return promise;
  }
}
