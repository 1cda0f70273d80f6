import { setTimeout as wait } from 'node:timers/promises';

/**
 * Ends a gateway on SIGTERM without losing what it was sent.
 *
 * @param {object} gateway
 * @param {import('node:http').Server} gateway.server
 * @param {import('hydrant').ConnectionRegistry<any, any>} gateway.registry
 * @param {() => Promise<unknown>} [gateway.afterwards] closes what the instances needed: a pool, a log
 * @param {number} [gateway.noticeMs] how long the balancer may take to hear that this replica is no longer ready
 * @param {number} [gateway.requestsMs] how long requests in flight may take; streams without an end are left to the drain
 * @returns {{ isReady(): boolean }} what the readiness probe asks
 */
export function endGracefully({ server, registry, afterwards, noticeMs = 5_000, requestsMs = 5_000 }) {
  let ending = false;
  process.once('SIGTERM', async () => {
    ending = true;                                   // readiness fails; everything is still served,
    await wait(noticeMs);                            // until the balancer has heard of it and sends no more.
    const closed = new Promise((resolve) => { server.close(resolve); });
    setInterval(() => server.closeIdleConnections(), 100).unref();
    await Promise.race([closed, wait(requestsMs)]);  // Requests in flight complete,
    const { abandoned } = await registry.close();    // leases, streams and waitUntil work end, and instances are disposed of.
    if (abandoned.length > 0) console.error({ abandoned });
    await afterwards?.();
    process.exit();
  });
  return { isReady: () => !ending };
}
