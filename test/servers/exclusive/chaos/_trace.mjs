
import { setTimeout as sleep } from 'node:timers/promises';
import { startPostgres } from '../../support/postgres.mjs';
import { startRedis } from '../../support/redis.mjs';
import { appendFileSync, writeFileSync } from 'node:fs';
import { ChaosCluster, bundlePackage, now, quantile, schedulingLag } from './harness.mjs';
import { administer } from './servers.mjs';
const kind = process.argv[2], runs = Number(process.argv[3] ?? 3), connections = Number(process.argv[4] ?? 200), script = process.argv[5] ?? '_trace-replica.mjs';
writeFileSync(process.env.TRACE, '');
const bundle = await bundlePackage();
const started = await (kind === 'postgres' ? startPostgres() : startRedis());
const server = await administer(kind, started.url, bundle);
const note = (what, more) => appendFileSync(process.env.TRACE, JSON.stringify({ at: now(), r: 'H', what, ...more }) + '\n');
const cluster = new ChaosCluster({ kind, server, bundle, ttlMs: 3000, replicas: 5, connections, script });
try {
  await cluster.start();
  await cluster.balanced();
  for (let run = 0; run < runs; run += 1) {
    await cluster.forget();
    const all = []; const per = [];
    const lags = await schedulingLag(async () => {
    for (const replica of cluster.live) {
      const owned = await cluster.ownedBy(replica);
      const since = now();
      note('kill', { replica: replica.name, owned: owned.length });
      replica.process.kill('SIGTERM');
      await replica.ended;
      note('ended', { replica: replica.name });
      await cluster.balanced({ even: false });
      const { changes } = await cluster.report();
      const first = new Map();
      const wanted = new Set(owned);
      for (const { id, at, replica: by } of changes) if (at > since && wanted.has(id) && !first.has(id)) { first.set(id, at - since); if (at - since > 150) note('late', { id, by, ms: at - since, from: replica.name }); }
      const t = [...first.values()].sort((a, b) => a - b);
      per.push(t.length + ':' + t[t.length >> 1]?.toFixed(0) + '/' + t.at(-1)?.toFixed(0));
      all.push(...t);
      await cluster.startReplica();
    }
    });
    await cluster.balanced();
    all.sort((a, b) => a - b);
    console.log(kind, 'run', run, 'n', all.length, 'p50', quantile(all, .5).toFixed(0), 'p90', quantile(all, .9).toFixed(0), 'p99', quantile(all, .99).toFixed(0), 'max', all.at(-1).toFixed(0), 'lag99', quantile(lags, .99).toFixed(0), per.join(' '));
    await cluster.forget();
  }
  console.log('stale', cluster.violations.length);
} finally { await cluster.stop(); await server.close(); await started.stop(); await bundle.remove(); }
