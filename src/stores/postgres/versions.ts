import { BoundedMap } from '../../bounded.js';
import { PLACES, SEAL, VERSIONS, type Queries } from './queries.js';

/** Rows whose version is remembered: 20 MB at most. With more rows the answers are the same, and more rows are hashed. */
const MAX_REMEMBERED = 100_000;

/** Sends a query that answers with one row. */
type Send = (text: string, ids: Iterable<string>) => Promise<Readonly<Record<string, unknown>>>;

/**
 * Reads versions. Where a row's place identifies its contents, it asks for places and hashes only the rows whose place is
 * new. Both queries begin after the call, so either may answer it.
 */
export class VersionReader {
  readonly #remembered = new BoundedMap<{ readonly place: string; readonly version: string }>(MAX_REMEMBERED);
  #seal: unknown;

  /** @param sealBroken - called when the table is not as it was: places mean something else now */
  async read(queries: Queries, ids: Iterable<string>, send: Send, sealBroken: () => void): Promise<Map<string, string>> {
    const row = await send(queries.places ?? queries.versions, ids);
    this.#compareSeal(row[SEAL], sealBroken);
    if (queries.places === undefined) return new Map(entriesOf(row[VERSIONS]));
    const versions = new Map<string, string>();
    const unknown: string[] = [];
    for (const [id, place] of entriesOf(row[PLACES])) {
      const known = this.#remembered.get(id);
      if (known?.place === place) versions.set(id, known.version);
      else unknown.push(id);
    }
    if (unknown.length === 0) return versions;
    // The later answer counts: it has the version and the place of one and the same row.
    const hashed = await send(queries.versions, unknown);
    this.#compareSeal(hashed[SEAL], sealBroken);
    const places = new Map(entriesOf(hashed[PLACES]));
    for (const [id, version] of entriesOf(hashed[VERSIONS])) {
      versions.set(id, version);
      this.#remembered.set(id, { place: places.get(id) ?? '', version });
    }
    return versions;
  }

  #compareSeal(seal: unknown, broken: () => void): void {
    if (seal === this.#seal) return;
    const first = this.#seal === undefined;
    this.#seal = seal;
    this.#remembered.clear();
    if (!first) broken();
  }
}

/** PostgreSQL gives null for an object of no rows. */
const entriesOf = (json: unknown): [string, string][] =>
  typeof json === 'string' ? Object.entries(JSON.parse(json) as Record<string, string>) : [];
