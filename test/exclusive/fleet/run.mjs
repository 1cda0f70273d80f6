// Simulates fleets of ExclusiveRunners, and prints what grows with the fleet:
//   node test/exclusive/fleet/run.mjs --connections 100000 --replicas 100
import { build } from 'esbuild';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '../../..');
const { values } = parseArgs({
  options: { connections: { type: 'string', default: '100000' }, replicas: { type: 'string', default: '100' } },
});
const [connections, replicas] = [Number(values.connections), Number(values.replicas)];

const folder = await mkdtemp(join(root, 'node_modules/.cache-fleet-'));
const outfile = join(folder, 'fleet.mjs');
await build({
  entryPoints: [join(here, 'fleet.ts')],
  bundle: true,
  format: 'esm',
  platform: 'node',
  outfile,
  logLevel: 'error',
  packages: 'external',
  alias: {
    'hydrant/exclusive': join(root, 'src/exclusive/index.ts'),
    'hydrant/testing': join(root, 'src/testing/index.ts'),
    hydrant: join(root, 'src/index.ts'),
  },
});
try {
  const { Fleet } = await import(pathToFileURL(outfile).href);
  const fleet = new Fleet(connections, replicas);
  const seconds = (ms) => `${(ms / 1_000).toFixed(1)} s`;
  const kib = (bytes) => `${(bytes / 1_024).toFixed(1)} KiB`;
  const told = ({ claimQueries, claimBytes, renewBytes, mostNamed }) =>
    `${claimQueries.toFixed(2)} claim queries of ${kib(claimBytes)} in all, renewals of ${kib(renewBytes)}; `
    + `at most ${mostNamed} ids in one query`;
  const say = (line) => {
    const { most, fewest } = fleet.loads;
    console.log(`${line}; ${fleet.owned} owned, ${fewest} to ${most} by each replica`);
  };
  console.log(`${connections} connections, ${replicas} replicas`);
  const costs = Object.entries(fleet.listCosts()).map(([what, ms]) => `${what} ${ms.toFixed(1)}`);
  console.log(`a listing holds up the event loop for (ms): ${costs.join(', ')}`);
  say(`cold start: all owned after ${seconds(await fleet.until(() => fleet.owned === connections))}`);
  console.log(`  balanced after ${seconds(await fleet.until(() => fleet.balanced))} more`);
  console.log(`  so far, per replica: ${told(fleet.trafficSince(1))}`);
  await fleet.clock.advance(10_000);
  say(`at rest, per replica and tick: ${told(await fleet.traffic(2))}`);
  fleet.replicas[0].cut = true;
  console.log(`a replica with ${connections - fleet.owned} connections is lost`);
  await fleet.traffic(0);
  const all = () => fleet.owned === connections;
  say(`  all owned again after ${seconds(await fleet.until(all))}, per replica: ${told(fleet.trafficSince(1))}`);
  fleet.join();
  const balanced = await fleet.until(() => fleet.balanced);
  say(`a replica joins: balanced after ${seconds(balanced)}`);
  say(`afterwards, per replica and tick: ${told(await fleet.traffic(2))}`);
  const [cpu, memory] = [process.cpuUsage().user / 1e6, process.resourceUsage().maxRSS / 1_024].map(Math.round);
  console.log(`this process: ${cpu} s of CPU, ${memory} MiB`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exit();
