import type { TestServer } from './server.mjs';

/**
 * Starts a real Redis on loopback: `redis-server` from PATH, else from Debian's packages, unpacked into
 * node_modules/.cache. With TEST_REDIS_URL set nothing is started.
 *
 * @throws Error when no redis-server can be had
 */
export declare function startRedis(): Promise<TestServer>;
