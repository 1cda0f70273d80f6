import type { TestServer } from './server.mjs';

/**
 * Starts a real Redis on loopback: `redis-server` from PATH, otherwise from Debian's packages, unpacked into
 * node_modules/.cache. With TEST_REDIS_URL set nothing is started.
 *
 * @param options.settings - server settings (`cluster-enabled`, ...)
 * @param options.own - starts one whatever TEST_REDIS_URL says
 * @throws Error when no redis-server can be had
 */
export declare function startRedis(options?: { settings?: Readonly<Record<string, string>>; own?: boolean }): Promise<TestServer>;
