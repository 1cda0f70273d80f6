import { AsyncLocalStorage } from 'node:async_hooks';

/** The organisation whose work is running. Logs, traces and calls to the vault read it. */
export const organisation = /** @type {AsyncLocalStorage<string>} */ (new AsyncLocalStorage());

/** The context in which this module was loaded. It belongs to no organisation. */
const nobody = AsyncLocalStorage.snapshot();

/**
 * `around`: each factory call runs in the context of its connection. Without it, a hydrate and everything that the instance
 * does later would run in the context in which the registry was constructed.
 *
 * @template T
 * @param {{ organisation: string }} record
 * @param {() => T} work
 * @returns {T}
 */
export const around = (record, work) => nobody(() => organisation.run(record.organisation, work));
