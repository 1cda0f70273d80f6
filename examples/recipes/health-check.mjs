/**
 * Health check: pings every live instance, and retires those that do not answer. `tryAcquire` only takes live instances, so
 * a check never starts one and never keeps an idle one from being evicted.
 *
 * @template I
 * @param {import('hydrant').ConnectionRegistry<any, I>} registry with `freshness: { maxStaleMs }`, because
 *   `tryAcquire` returns `undefined` with `'strict'`
 * @param {(instance: I, options: { signal: AbortSignal }) => Promise<unknown>} ping
 * @returns the ids of the retired instances
 */
export async function checkHealth(registry, ping) {
  /** @type {string[]} */
  const retired = [];
  for (const { id } of registry.snapshot().connections) {
    const lease = registry.tryAcquire(id);
    if (lease === undefined) continue;
    try {
      await ping(lease.instance, { signal: lease.signal });
    } catch (error) {
      lease.retire(error);
      retired.push(id);
    } finally {
      lease.release();
    }
  }
  return retired;
}
