/**
 * Fails when the hot path has become slower, measured against `await map.get(id)` in the same run: ratios, never times,
 * with room for a noisy machine. A breach must show three times in a row.
 */
import { lease, warmOf } from './suites/warm.mjs';
import { bareMap, HYDRANT_ASYNC, HYDRANT_SYNC, hydrantAsync, hydrantSync } from './peers.mjs';

const ATTEMPTS = 3;
const ROUNDS = 41;
/** About one and a half times the goal. */
const MOST = { [HYDRANT_SYNC]: 2, [HYDRANT_ASYNC]: 3.5, 'hydrant tryAcquire + release': 6 };

let breaches = [];
for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
  const measured = [
    ...await warmOf(1_000, ROUNDS, [bareMap, hydrantSync, hydrantAsync]),
    ...(await lease({ rounds: ROUNDS, counts: [1_000] }))[1_000],
  ].filter(({ name }) => name in MOST);
  for (const { name, ratio } of measured) console.log(`${name}: ${ratio.toFixed(2)} times the bare Map, at most ${MOST[name]}`);
  breaches = measured.filter(({ name, ratio }) => ratio > MOST[name]);
  if (breaches.length === 0) break;
}
if (breaches.length > 0) console.error(`The hot path has become slower: ${breaches.map(({ name }) => name).join(', ')}`);
process.exit(breaches.length === 0 ? 0 : 1);
