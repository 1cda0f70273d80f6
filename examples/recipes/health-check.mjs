/**
 * Health check: asks everything that is live whether it still is, and retires what does not answer. `tryAcquire` takes
 * only what is live already, so a check never starts anything and never keeps an idle instance from being evicted.
 *
 * @template I
 * @param {import('hydrant').ConnectionRegistry<any, I>} registry with `freshness: { maxStaleMs }`, for `tryAcquire`
 *   answers nothing under `'strict'`
 * @param {(instance: I, options: { signal: AbortSignal }) => Promise<unknown>} ping
 * @returns the ids of what was retired
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
