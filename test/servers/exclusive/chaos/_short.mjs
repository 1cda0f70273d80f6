import { startPostgres } from '../../support/postgres.mjs';
import { startRedis } from '../../support/redis.mjs';
import { control, shortChaos } from './short.mjs';
const began = performance.now();
const w = process.stdout.write.bind(process.stdout);
process.stdout.write = (t, ...r) => w(typeof t === 'string' ? t.replace(/^/, `[${((performance.now() - began) / 1000).toFixed(1)}] `) : t, ...r);
for (const kind of process.argv[2].split(',')) for (let n = 0; n < Number(process.argv[3] ?? 1); n += 1) {
  const started = await (kind === 'postgres' ? startPostgres() : startRedis());
  const t = performance.now();
  try {
    const r = await shortChaos({ kind, url: started.url });
    const q = (s) => r.stopTakeoversMs[Math.min(r.stopTakeoversMs.length - 1, Math.floor(r.stopTakeoversMs.length * s))]?.toFixed(0);
    console.log('TOTAL', kind, ((performance.now() - t) / 1000).toFixed(1), 's; stop p50', q(.5), 'p90', q(.9), 'p99', q(.99), 'n', r.stopTakeoversMs.length, 'lag99', r.lagMs.toFixed(0), 'kill max TTL', r.killTakeoversTtl.at(-1)?.toFixed(2), r.killTakeoversTtl.length, 'q/tick', Math.max(...r.queriesPerTick).toFixed(2), 'stale', r.stale.length);
    if (process.argv[4]) console.log('CONTROL', await control({ kind, url: started.url }));
  } finally { await started.stop(); }
}
