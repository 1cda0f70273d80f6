/** What was built, or the build that `HYDRANT_ENTRY` names: to compare two of them. */
const entry = process.env.HYDRANT_ENTRY ?? new URL('../../dist/index.js', import.meta.url).href;

export const { ConnectionRegistry, MemoryStore } = await import(entry);
