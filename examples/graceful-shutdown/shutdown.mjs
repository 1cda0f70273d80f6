import { setTimeout as wait } from 'node:timers/promises';

/**
 * Ends a gateway on SIGTERM without losing accepted work.
 *
 * @param {object} gateway
 * @param {import('node:http').Server} gateway.server
 * @param {import('hydrant').ConnectionRegistry<any, any>} gateway.registry
 * @param {{ stop(): Promise<void> }} [gateway.runner] the ExclusiveRunner, if there is one
 * @param {() => Promise<unknown>} [gateway.afterwards] closes what the instances needed: a pool, a log
 * @param {number} [gateway.noticeMs] how long the balancer may take to notice that this replica is not ready
 * @param {number} [gateway.requestsMs] how long requests in flight may take; endless streams are left to the drain
 * @returns {{ isReady(): boolean }} for the readiness probe
 */
export function endGracefully({ server, registry, runner, afterwards, noticeMs = 5_000, requestsMs = 5_000 }) {
  let ending = false;
  process.once('SIGTERM', async () => {
    ending = true;                                   // The readiness probe fails. Webhooks are still served,
    const stopped = runner?.stop();                  // while the loops stop and other replicas take them over.
    await wait(noticeMs);                            // The balancer notices, and sends no more.
    const closed = new Promise((resolve) => { server.close(resolve); });
    setInterval(() => server.closeIdleConnections(), 100).unref();
    await Promise.race([closed, wait(requestsMs)]);  // Requests in flight complete.
    await stopped;                                   // At most stopTimeoutMs plus one second since SIGTERM.
    const { abandoned } = await registry.close();    // Leases, streams and waitUntil work end. Instances are disposed of.
    if (abandoned.length > 0) console.error({ abandoned });
    await afterwards?.();
    process.exit();
  });
  return { isReady: () => !ending };
}
