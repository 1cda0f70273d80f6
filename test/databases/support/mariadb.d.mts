import type { TestServer } from '../../servers/support/server.mjs';

/**
 * Starts a real MariaDB on loopback: `mariadbd` of Debian's package mariadb-server.
 *
 * @throws Error when there is none
 */
export declare function startMariadb(): Promise<TestServer>;
