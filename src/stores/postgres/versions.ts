import { BoundedMap } from '../../bounded.js';
import { IDS, VERSIONS, WRITERS, type Queries } from './queries.js';
import { isNobody, SEAL, TOUCHES } from './writers.js';

/** Rows whose version is remembered: 20 MB at most. With more rows the answers are the same, and more rows are hashed. */
const MAX_REMEMBERED = 100_000;

/** Sends a query that answers with one row. */
type Send = (text: string, ids: Iterable<string>) => Promise<Readonly<Record<string, unknown>>>;

/**
 * Reads versions. If a row's writer identifies its contents, the reader asks for writers, and only rows with a new writer
 * are hashed. Both queries begin after the call, so either may answer it.
 */
export class VersionReader {
  readonly #remembered = new BoundedMap<{ readonly writer: string; readonly version: string }>(MAX_REMEMBERED);
  #seal: unknown;

  /** @param sealBroken - called when the table is not as it was, so facts about it may be outdated */
  async read(queries: Queries, ids: Iterable<string>, send: Send, sealBroken: () => void): Promise<Map<string, string>> {
    const row = await send(queries.writers ?? queries.versions, ids);
    this.#compareSeal(row[SEAL], sealBroken);
    const versions = new Map<string, string>();
    const found = listIn(row[IDS]);
    if (queries.writers === undefined) {
      const read = listIn(row[VERSIONS]);
      for (let n = 0; n < found.length; n += 1) versions.set(found[n] as string, read[n] as string);
      return versions;
    }
    const unknown: string[] = [];
    const writers = writersIn(row);
    for (let n = 0; n < found.length; n += 1) {
      const id = found[n] as string;
      const known = this.#remembered.get(id);
      if (known !== undefined && known.writer === writers[n]) versions.set(id, known.version);
      else unknown.push(id);
    }
    if (unknown.length > 0) await this.#hash(queries, unknown, send, sealBroken, versions);
    return versions;
  }

  /** The later answer counts: it has the version and the writer of the same row. */
  async #hash(
    queries: Queries, ids: readonly string[], send: Send, sealBroken: () => void, versions: Map<string, string>,
  ): Promise<void> {
    const row = await send(queries.versions, ids);
    this.#compareSeal(row[SEAL], sealBroken);
    const [found, read, writers] = [listIn(row[IDS]), listIn(row[VERSIONS]), writersIn(row)];
    for (let n = 0; n < found.length; n += 1) {
      const [id, version, writer] = [found[n] as string, read[n] as string, writers[n] as string];
      versions.set(id, version);
      if (!isNobody(writer)) this.#remembered.set(id, { writer, version });
    }
  }

  #compareSeal(seal: unknown, broken: () => void): void {
    if (seal === this.#seal) return;
    const first = this.#seal === undefined;
    this.#seal = seal;
    this.#remembered.clear();
    if (!first) broken();
  }
}

/** A touch changes the version as an edit does, so it counts as part of the writer. */
function writersIn(row: Readonly<Record<string, unknown>>): readonly string[] {
  const writers = listIn(row[WRITERS]);
  if (typeof row[TOUCHES] !== 'string') return writers;
  const touches = new Map(Object.entries(JSON.parse(row[TOUCHES]) as Record<string, string>));
  return listIn(row[IDS]).map((id, n) => (touches.has(id) ? `${writers[n]} touched ${touches.get(id)}` : writers[n] as string));
}

/** PostgreSQL gives null for a list of no rows. */
const listIn = (json: unknown): readonly string[] => (typeof json === 'string' ? JSON.parse(json) as string[] : []);
