import { hydrantAsync, hydrantLease, hydrantSync, ofBuild } from '../peers.mjs';
import { churnOf, coldOf } from './cold.mjs';
import { warmOf } from './warm.mjs';

/** Uses of one build against those of another one, in turns. */
export async function usesOf({ rounds, entries }) {
  const builds = await Promise.all(entries.map((entry) => import(entry)));
  const names = ['this build', 'the other build'];
  const both = (peer) => builds.map((build, at) => ofBuild(peer, names[at], build));
  const row = (name, [{ ratio, low, high }]) => ({ name, ratio, low, high });
  const reference = names[1];
  const rows = [];
  for (const count of [1, 1_000, 100_000]) {
    for (const peer of [hydrantSync, hydrantAsync, hydrantLease]) {
      const results = await warmOf(count, rounds, both(peer), undefined, reference);
      rows.push(row(`${peer.name.slice('hydrant '.length)}, ${count} ids`, results));
    }
  }
  const cold = await coldOf(both(hydrantSync), { reference, rounds });
  for (const [how, results] of Object.entries(cold)) rows.push(row(`first use, ${how}`, results));
  const { results } = await churnOf(both(hydrantSync), { reference, rounds });
  rows.push(row('first use that evicts another', results));
  return rows;
}
