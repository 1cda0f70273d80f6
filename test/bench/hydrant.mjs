/** This build, or the one that `HYDRANT_ENTRY` names, to compare two builds. */
const entry = process.env.HYDRANT_ENTRY ?? new URL('../../dist/index.js', import.meta.url).href;

export const { ConnectionRegistry, MemoryStore } = await import(entry);
