import { AsyncLocalStorage } from 'node:async_hooks';

/** Whose work this is. Logs, traces and calls to the vault read it. */
export const organisation = /** @type {AsyncLocalStorage<string>} */ (new AsyncLocalStorage());

/** The context this module was loaded in: nobody's. */
const nobody = AsyncLocalStorage.snapshot();

/**
 * `around`: many uses share one hydrate, which without it would run in the context of whichever came first, and so
 * would whatever the instance goes on doing. Each factory call runs in the context of its connection instead.
 *
 * @template T
 * @param {{ organisation: string }} record
 * @param {() => T} work
 * @returns {T}
 */
export const around = (record, work) => nobody(() => organisation.run(record.organisation, work));
