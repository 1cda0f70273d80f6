/**
 * Maximum age: an instance is replaced after a time, even if it is busy. `retire` lets its users finish. The next use makes
 * a new one.
 *
 * @template R, I
 * @param {import('hydrant').InstanceFactory<R, I>} factory
 * @param {{ maxAgeMs: number, clock?: import('hydrant').Clock }} options
 * @returns {import('hydrant').InstanceFactory<R, I>}
 */
export function withMaximumAge(factory, { maxAgeMs, clock }) {
  const after = (/** @type {() => void} */ callback) => {
    if (clock !== undefined) return clock.setTimeout(callback, maxAgeMs, { ref: false });
    const timer = setTimeout(callback, maxAgeMs);
    timer.unref();
    return () => clearTimeout(timer);
  };
  return {
    ...factory,
    async create(record, context) {
      const instance = await factory.create(record, context);
      context.onDispose(after(() => context.retire(new Error('too old'))));
      return instance;
    },
  };
}
