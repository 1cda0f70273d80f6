import { MAX_ID_LENGTH } from '../ids.js';
import type { Version } from '../contracts/record.js';
import type { ListedConnection } from './options.js';

/**
 * The connections of one listing. Two arrays and a binary search instead of a Map, because a fleet may list a million. A
 * Map of them takes five times the memory, and every listing would make another one.
 */
export class Listed {
  static readonly none: Listed = new Listed([], []);
  /** Sorted by code units, so that all replicas see the same order. The same array until other ids are listed. */
  readonly ids: readonly string[];
  readonly #versions: readonly (Version | undefined)[];

  private constructor(ids: readonly string[], versions: readonly (Version | undefined)[]) {
    this.ids = ids;
    this.#versions = versions;
  }

  has(id: string): boolean {
    return this.#placeOf(id) >= 0;
  }

  version(id: string): string | undefined {
    const version = this.#versions[this.#placeOf(id)];
    return version === undefined ? undefined : String(version);
  }

  /** Whether it has an id that `before` lacks. */
  hasMoreThan(before: Listed): boolean {
    if (this.ids === before.ids) return false;
    let place = 0;
    return this.ids.some((id) => {
      // Also false at the end, where there is no id.
      while (before.ids[place]! < id) place += 1;
      return before.ids[place] !== id;
    });
  }

  /**
   * Reads the answer of `list`. Entries that come in the order of the last time, with the versions of the last time, cost
   * a comparison each. Of two entries with one id the last one counts.
   *
   * @returns the listing, and how many entries are no ids
   * @throws TypeError if there is an entry without a version, and `versioned`
   */
  static read(
    entries: readonly (string | ListedConnection)[],
    before: Listed,
    versioned: boolean,
  ): { readonly listed: Listed; readonly refused: number } {
    // How many entries were there last time too, in this order and unchanged. Nothing is copied until one differs.
    let same = 0;
    // The place, among the ids of last time, of the first one that does not come before this entry's.
    let next = 0;
    let refused = 0;
    let sorted = true;
    const copy = (): { ids: string[]; versions: (Version | undefined)[] } =>
      ({ ids: before.ids.slice(0, same), versions: before.#versions.slice(0, same) });
    let copied: ReturnType<typeof copy> | undefined;
    for (const entry of entries) {
      const { id, version, status }: ListedConnection = typeof entry === 'object' && entry !== null ? entry : { id: entry };
      // Also false at the end, where there is no id.
      while (before.ids[next]! < id) next += 1;
      const known = next < before.ids.length && before.ids[next] === id;
      if (copied === undefined && known && next === same && version === before.#versions[same] && status !== 'stopped') {
        same += 1;
        continue;
      }
      if (!known && !isId(id)) {
        refused += 1;
        continue;
      }
      if (versioned && version === undefined) {
        throw new TypeError('list: expected objects with id and version, because without run only a version shows an edit');
      }
      if (status === 'stopped') continue;
      copied ??= copy();
      // False for the first one.
      if (id <= copied.ids.at(-1)!) sorted = false;
      copied.ids.push(id);
      copied.versions.push(version);
    }
    if (copied === undefined && same === before.ids.length) return { listed: before, refused };
    let { ids, versions } = copied ?? copy();
    if (!sorted) {
      const latest = new Map(ids.map((id, place) => [id, versions[place]]));
      ids = [...latest.keys()].toSorted();
      versions = ids.map((id) => latest.get(id));
    }
    const unchanged = ids.length === before.ids.length && ids.every((id, place) => id === before.ids[place]);
    return { listed: new Listed(unchanged ? before.ids : ids, versions), refused };
  }

  #placeOf(id: string): number {
    let [from, to] = [0, this.ids.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.ids[middle]! < id) from = middle + 1;
      else to = middle;
    }
    return this.ids[from] === id ? from : -1;
  }
}

/** A database would refuse the whole batch because of one id of another kind. */
function isId(id: unknown): id is string {
  return typeof id === 'string' && id !== '' && id.length <= MAX_ID_LENGTH && !/[\0\p{Surrogate}]/u.test(id);
}
