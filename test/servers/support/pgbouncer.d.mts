import type { TestServer } from './server.mjs';

/**
 * Starts a real PgBouncer in transaction mode in front of a database: from PATH, otherwise from Debian's packages, unpacked
 * into node_modules/.cache.
 *
 * @throws Error when no PgBouncer can be had
 */
export declare function startPgBouncer(databaseUrl: string, options?: { poolSize?: number }): Promise<TestServer>;
