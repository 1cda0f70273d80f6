import type { TestProject } from 'vitest/node';
import { startPostgres } from './postgres.mjs';
import { startRedis } from './redis.mjs';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A database of a real PostgreSQL in which test files may create databases of their own. */
    postgresUrl: string;
    /** A real Redis; `undefined` when none could be had, and then the tests that need it are skipped. */
    redisUrl: string | undefined;
  }
}

/** Starts the servers of the project `servers` and gives back what ends them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await startPostgres();
  const redis = await startRedis().catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    if (process.env['REQUIRE_SERVERS'] === '1') throw error;
    process.stderr.write(
      `\n*** NO REDIS: ${reason}\n*** Every test that needs it is SKIPPED. REQUIRE_SERVERS=1 makes this a failure.\n\n`,
    );
    return undefined;
  });
  project.provide('postgresUrl', postgres.url);
  project.provide('redisUrl', redis?.url);
  return async () => {
    await Promise.all([postgres.stop(), redis?.stop()]);
  };
}
