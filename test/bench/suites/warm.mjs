import { AsyncLocalStorage } from 'node:async_hooks';
import { ALL, BARE_MAP, bareMap, genericPool, hydrantSync, lruFetch } from '../peers.mjs';
import { compile, interleaved } from '../measure/rounds.mjs';
import { cube, idsOf, zipf } from '../measure/traces.mjs';

const SEQUENCE = 1 << 20;

/** Uses of instances that are live and fresh enough. */
export async function warm({ rounds }) {
  const results = {};
  for (const count of [1, 1_000, 100_000]) results[count] = await warmOf(count, rounds);
  return results;
}

/** The same inside an AsyncLocalStorage context, where every promise costs more: tracing puts most servers there. */
export function insideAsyncLocalStorage({ rounds }) {
  return new AsyncLocalStorage().run({ trace: 'abc' }, () => warmOf(1_000, rounds));
}

/** Without a promise: `tryAcquire` and `release` against `Map.get`. */
export async function lease({ rounds, counts = [1, 1_000, 100_000] }) {
  const results = {};
  for (const count of counts) {
    const ids = idsOf(count);
    const registry = await openWarm(hydrantSync, ids);
    const map = await openWarm(bareMap, ids);
    results[count] = await interleaved(
      [
        subject({ name: 'map.get(id)', source: 'sum += it.get(id).n', sync: true }, map, ids),
        subject(
          {
            name: 'hydrant tryAcquire + release',
            source: 'const lease = it.tryAcquire(id); sum += lease.instance.n; lease.release()',
            sync: true,
          },
          registry,
          ids,
        ),
      ],
      { reference: 'map.get(id)', rounds },
    );
    await registry.close();
  }
  return results;
}

/** A distribution that nothing was tuned on, beside the peer that comes closest. */
export async function heldOut({ rounds }) {
  const results = {};
  for (const count of [1, 1_000, 100_000]) results[count] = await warmOf(count, rounds, [bareMap, hydrantSync, lruFetch], cube);
  return results;
}

export async function warmOf(count, rounds, all = ALL, draw = zipf, reference = BARE_MAP) {
  const ids = idsOf(count);
  // A pool per id is not meant for a hundred thousand of them.
  const peers = all.filter((peer) => peer !== genericPool || count <= 1_000);
  const opened = [];
  for (const peer of peers) opened.push({ peer, it: await openWarm(peer, ids) });
  const results = await interleaved(opened.map(({ peer, it }) => subject(peer, it, ids, draw)), { reference, rounds });
  for (const { peer, it } of opened) await peer.close?.(it);
  return results;
}

async function openWarm(peer, ids) {
  const it = await peer.open({ ids, create, capacity: Math.max(1_000, ids.length), dispose: undefined });
  const every = Uint32Array.from(ids, (_, index) => index);
  await compile(peer.source)(it, ids, every, 0, every.length, read, readLater);
  return it;
}

/** Each turn continues the sequence of ids at the place where the last turn of the same subject ended. */
function subject({ name, source, sync = false }, it, ids, draw = zipf) {
  const loop = compile(source, { sync });
  const order = draw(ids.length, SEQUENCE);
  let from = 0;
  return {
    name,
    run(size) {
      if (from + size > order.length) from = 0;
      from += size;
      return loop(it, ids, order, from - size, from, read, readLater);
    },
  };
}

const create = async (id) => ({ id, n: 1 });
const read = (instance) => instance.n;
const readLater = async (instance) => instance.n;
