import type { TestProject } from 'vitest/node';
import { startPostgres } from '../../servers/support/postgres.mjs';
import { startMariadb } from './mariadb.mjs';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A database of a real PostgreSQL in which test files create databases of their own. */
    postgresUrl: string;
    /** A real MariaDB. */
    mariadbUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [postgres, mariadb] = await Promise.all([startPostgres(), startMariadb()]);
  project.provide('postgresUrl', postgres.url);
  project.provide('mariadbUrl', mariadb.url);
  return async () => { await Promise.all([postgres.stop(), mariadb.stop()]); };
}
