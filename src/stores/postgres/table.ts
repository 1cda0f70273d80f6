import type { StoreReadOptions } from '../../contracts/store.js';
import { OWN_FACTS, readFacts, type TableFacts } from './catalogue.js';
import { sqlStateOf, type Database } from './database.js';
import type { Layout } from './layout.js';
import { queriesOf, type Queries } from './queries.js';
import { tryOptions } from './trial.js';

/** Everything that one read or write needs. */
export interface TableAccess {
  readonly queries: Queries;
  readonly facts: TableFacts;
  query<Row>(text: string, values?: unknown[]): Promise<readonly Row[]>;
}

type Known = Pick<TableAccess, 'queries' | 'facts'>;

/**
 * Errors that say that the table, or hydrant's own objects, are not as they were: classes 42 and 3F, 22P02 for ids, and 0A000
 * for a partition of another kind.
 */
const CHANGED = /^(42|3F|22P02|0A000)/;

/** Statements that PostgreSQL rolled back because of others: serialization_failure, deadlock_detected. */
const ROLLED_BACK: ReadonlySet<string> = new Set(['40001', '40P01']);
const IN_FAILED_TRANSACTION = '25P02';
/** A deadlock takes the server a second to find (`deadlock_timeout`), and the winner is gone by the next attempt. */
const MAX_ATTEMPTS = 3;
const PAUSE_MS = 25;

/**
 * The queries for a table. They rest on facts that are read once and again when a statement fails because they no longer
 * hold: somebody changed the id's type, or dropped the schema of hydrant's own objects.
 */
export class Table {
  readonly #layout: Layout;
  readonly #database: Database;
  #known: Promise<Known> | undefined;

  constructor(layout: Layout, database: Database) {
    this.#layout = layout;
    this.#database = database;
  }

  /** The facts no longer hold: the next query reads them again. */
  forget(): void {
    this.#known = undefined;
  }

  /** @throws ConnectionError `INVALID_OPTIONS` if a table that was there first cannot serve the options */
  async tryOptions(): Promise<void> {
    if (this.#layout.mapped) await tryOptions(this.#layout, (await this.#learn()).queries, this.#database);
  }

  /** Runs `work`; a second time when it failed on facts that turned out to be outdated. */
  async read<T>({ signal }: StoreReadOptions = {}, work: (access: TableAccess) => Promise<T>): Promise<T> {
    const query = <Row>(text: string, values?: unknown[]): Promise<readonly Row[]> =>
      this.#database.query<Row>(text, values, { signal });
    const known = this.#known ??= this.#learn();
    const { queries, facts } = await known;
    try {
      return await work({ queries, facts, query });
    } catch (error) {
      if (!this.#layout.mapped || !CHANGED.test(sqlStateOf(error) ?? '')) throw error;
      if (this.#known === known) this.#known = undefined;
      const fresh = await (this.#known ??= this.#learn()).catch(() => undefined);
      if (fresh === undefined || fresh.queries.versions === queries.versions) throw error;
      return await work({ ...fresh, query });
    }
  }

  /**
   * Runs `work`, which is one statement that writes, and again when PostgreSQL ended it for the sake of another transaction:
   * a deadlock, or a serialization failure. It was rolled back, so running it again writes once.
   */
  async write<T>(work: (access: TableAccess) => Promise<T>): Promise<T> {
    let rolledBack: unknown;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.read(undefined, work);
      } catch (error) {
        const state = sqlStateOf(error);
        // The client is a transaction of the caller's, and the rollback has ended it.
        if (state === IN_FAILED_TRANSACTION) throw rolledBack ?? error;
        if (attempt === MAX_ATTEMPTS || !ROLLED_BACK.has(state ?? '')) throw error;
        rolledBack = error;
        // The winner waits for the same lock, and must be the first to get it.
        await this.#database.pause(attempt * PAUSE_MS * (1 + Math.random()));
      }
    }
  }

  /** Belongs to no caller: the signal of the one that came first must not fail the others. */
  async #learn(): Promise<Known> {
    try {
      const facts = this.#layout.mapped ? await readFacts(this.#layout, (text) => this.#database.query(text)) : OWN_FACTS;
      return { facts, queries: queriesOf(this.#layout, facts) };
    } catch (error) {
      this.#known = undefined;
      throw error;
    }
  }
}
