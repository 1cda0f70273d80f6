/** Whether a value must be awaited. Other values then cost no turn of the microtask queue. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return ((typeof value === 'object' && value !== null) || typeof value === 'function')
    && typeof (value as PromiseLike<unknown>).then === 'function';
}
