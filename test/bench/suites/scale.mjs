import { setImmediate as nextTurn } from 'node:timers/promises';
import { ConnectionRegistry } from '../hydrant.mjs';
import { compile, interleaved } from '../measure/rounds.mjs';
import { idsOf, uniform } from '../measure/traces.mjs';

const HOT = 1_000;

/** The cost of a use, a sweep, `snapshot`, `invalidate` and `close` with more and more live connections. */
export async function scale({ rounds, counts = [1_000, 10_000, 100_000, 1_000_000] }) {
  const results = [];
  for (const count of counts) results.push({ live: count, ...await withLive(count, rounds) });
  return results;
}

const read = (instance) => instance.n;

async function withLive(count, rounds) {
  const ids = idsOf(count);
  const rows = new Map(ids.map((id) => [id, { id, version: '1', status: 'active' }]));
  const swept = { ids: 0 };
  const store = {
    get: async (id) => rows.get(id),
    getVersions: async (asked) => { swept.ids += asked.length; return new Map(asked.map((id) => [id, '1'])); },
  };
  const clock = sweepableClock();
  const options = {
    store, factory: { create: () => ({ n: 1 }) }, freshness: { maxStaleMs: 1e9 }, maxInstances: count, idleTimeoutMs: Infinity,
  };
  const registry = new ConnectionRegistry({ ...options, sweepIntervalMs: 0 });
  const checked = new ConnectionRegistry({ ...options, clock });
  const map = new Map(ids.map((id) => [id, { n: 1 }]));
  for (const id of ids) {
    await registry.use(id, read);
    await checked.use(id, read);
  }
  const order = uniform(Math.min(HOT, count), 1 << 20);
  const subject = (name, it, source) => {
    const loop = compile(source);
    let from = 0;
    return {
      name,
      run(size) {
        from = from + size > order.length ? 0 : from;
        from += size;
        return loop(it, ids, order, from - size, from, read);
      },
    };
  };
  const [, use] = await interleaved([
    subject('map', map, 'sum += (await it.get(id)).n'),
    subject('use', registry, 'sum += await it.use(id, read)'),
  ], { reference: 'map', rounds });
  const sweep = await stalls(async () => { clock.sweep(); while (swept.ids < count) await nextTurn(); });
  const snapshot = await stalls(async () => registry.snapshot());
  const invalidateFrom = process.hrtime.bigint();
  for (let at = 0; at < 100; at += 1) registry.invalidate(ids[(at * 7_919) % count]);
  const invalidateUs = Number(process.hrtime.bigint() - invalidateFrom) / 100e3;
  const close = await stalls(() => registry.close());
  await checked.close();
  return {
    useNs: use.ns, useRatio: use.ratio, sweepUsPerConnection: (sweep.ms * 1_000) / count, sweepStallMs: sweep.longest,
    snapshotMs: snapshot.ms, invalidateUs, closeMs: close.ms, closeStallMs: close.longest,
  };
}

/** How long something takes, and the longest turn of the event loop meanwhile. */
async function stalls(work) {
  let longest = 0;
  const watch = { running: true };
  const start = performance.now();
  const watching = (async () => {
    for (let last = performance.now(); watch.running;) {
      await nextTurn();
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }
  })();
  await work();
  const ms = performance.now() - start;
  watch.running = false;
  await watching;
  return { ms, longest };
}

/** The system's clock, but the sweep comes when it is called for. */
function sweepableClock() {
  let pending;
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    setTimeout(callback, ms, { ref }) {
      if (!ref && ms === 60_000) {
        pending = callback;
        return () => {};
      }
      const timer = setTimeout(callback, ms);
      if (!ref) timer.unref();
      return () => clearTimeout(timer);
    },
    sweep: () => pending(),
  };
}
