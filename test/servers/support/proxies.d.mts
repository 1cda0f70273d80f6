import type { TestServer } from './server.mjs';

/**
 * Starts a real nginx (`keepalive`) or HAProxy (`http-reuse always`) in front of a port of loopback.
 *
 * @throws Error when it is not installed
 */
export declare function startProxy(name: 'nginx' | 'haproxy', upstream: number): Promise<TestServer>;
