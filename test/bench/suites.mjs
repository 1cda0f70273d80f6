/** All suites. Each has a process of its own, because AsyncLocalStorage, once used, slows everything that follows. */
export const SUITES = {
  warm: { file: './suites/warm.mjs', run: 'warm' },
  heldOut: { file: './suites/warm.mjs', run: 'heldOut' },
  asyncLocalStorage: { file: './suites/warm.mjs', run: 'insideAsyncLocalStorage' },
  lease: { file: './suites/warm.mjs', run: 'lease' },
  cold: { file: './suites/cold.mjs', run: 'cold' },
  churn: { file: './suites/cold.mjs', run: 'churn' },
  // A young generation that holds a whole run, so that no collection hides what it allocated.
  bytesPerUse: {
    file: './suites/memory.mjs',
    run: 'perOperation',
    flags: ['--min-semi-space-size=64', '--max-semi-space-size=64'],
  },
  bytesPerEntry: { file: './suites/memory.mjs', run: 'perEntry' },
  strict: { file: './suites/strict.mjs', run: 'strict' },
  webhook: { file: './suites/webhook.mjs', run: 'webhook' },
  survivors: { file: './suites/webhook.mjs', run: 'survivors' },
  primitives: { file: './suites/primitives.mjs', run: 'primitives' },
  flood: { file: './suites/flood.mjs', run: 'flood' },
  pauses: { file: './suites/pauses.mjs', run: 'pauses' },
  scale: { file: './suites/scale.mjs', run: 'scale', flags: ['--max-old-space-size=6000'] },
  eviction: { file: './suites/eviction.mjs', run: 'eviction' },
  http: { file: './suites/http.mjs', run: 'http' },
};
