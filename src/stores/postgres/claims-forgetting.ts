import type { ClaimsSql } from './claims-sql.js';
import type { Database } from './database.js';

/** It looks at rows after each tenth renewal. */
const RENEWALS = 10;
/** Rows per look. With fewer, the end of the table is reached. */
const LOOKED_AT = 100;

/**
 * Forgets rows of connections that are not listed any more. Every replica walks through the table by itself, a hundred
 * rows at a time, so the cost does not grow with the table.
 */
export class Forgetting {
  readonly #database: Database;
  readonly #sql: ClaimsSql;
  readonly #forgetAfterMs: number;
  #renewals = 0;
  #last = '';

  constructor(database: Database, sql: ClaimsSql, forgetAfterMs: number) {
    this.#database = database;
    this.#sql = sql;
    this.#forgetAfterMs = forgetAfterMs;
  }

  /** No caller waits for it. A role that may not delete keeps the rows. */
  renewed(): void {
    this.#renewals += 1;
    if (this.#renewals % RENEWALS === 0) void this.#look().catch(() => {});
  }

  async #look(): Promise<void> {
    const rows = await this.#database.query<Progress>(this.#sql.forget, [String(this.#forgetAfterMs), this.#last]);
    const { last = null, looked = '0' } = rows[0] ?? {};
    this.#last = last === null || Number(looked) < LOOKED_AT ? '' : last;
  }
}

/** The last id of a look, and the number of its rows. */
interface Progress { readonly last: string | null; readonly looked: string }
