/**
 * Fails when the hot path has become slower, measured in the same run against `await map.get(id)`, and a webhook against
 * the same work by hand: ratios, never times, with room for a noisy machine. A breach must show three times in a row.
 */
import { lease, warmOf } from './suites/warm.mjs';
import { BY_HAND_TO_THE_END, HANDLE_WEBHOOK, webhook } from './suites/webhook.mjs';
import { BARE_MAP, bareMap, HYDRANT_ASYNC, HYDRANT_SYNC, hydrantAsync, hydrantSync } from './peers.mjs';

const ATTEMPTS = 3;
const ROUNDS = 41;
/** For a use, about one and a half times the goal. For a webhook, the goal: see FLOORS.md for what it is compared with. */
const MOST = { [HYDRANT_SYNC]: 2, [HYDRANT_ASYNC]: 3.5, 'hydrant tryAcquire + release': 6, [HANDLE_WEBHOOK]: 1.15 };

let breaches = [];
for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
  const measured = [
    ...await warmOf(1_000, ROUNDS, [bareMap, hydrantSync, hydrantAsync]),
    ...(await lease({ rounds: ROUNDS, counts: [1_000] }))[1_000],
    ...await webhook({ rounds: ROUNDS, only: [BY_HAND_TO_THE_END, HANDLE_WEBHOOK], reference: BY_HAND_TO_THE_END }),
  ].filter(({ name }) => name in MOST);
  for (const { name, ratio } of measured) {
    const reference = name === HANDLE_WEBHOOK ? BY_HAND_TO_THE_END : BARE_MAP;
    console.log(`${name}: ${ratio.toFixed(2)} times ${reference}, at most ${MOST[name]}`);
  }
  breaches = measured.filter(({ name, ratio }) => ratio > MOST[name]);
  if (breaches.length === 0) break;
}
if (breaches.length > 0) console.error(`The hot path has become slower: ${breaches.map(({ name }) => name).join(', ')}`);
process.exit(breaches.length === 0 ? 0 : 1);
