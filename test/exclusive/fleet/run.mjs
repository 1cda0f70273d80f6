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
  const seconds = (ms) => `${(ms / 1_000).toFixed(1)} s`;
  const spread = ({ most, fewest }) => `${(100 * fewest).toFixed(1)} % to ${(100 * most).toFixed(1)} % of an even share`;
  const told = (traffic) =>
    `${traffic.claimQueries.toFixed(2)} claim queries of ${(traffic.claimBytes / 1_024).toFixed(1)} KiB, renewals of `
      + `${(traffic.renewBytes / 1_024).toFixed(1)} KiB, at most ${traffic.mostNamed} ids named in one query`;
  const fleet = new Fleet(connections, replicas);
  console.log(`${connections} connections, ${replicas} replicas`);
  console.log(
    `all owned after a cold start: ${seconds(await fleet.until(() => fleet.owned === connections))}; loads `
      + `${spread(fleet.loads)}`,
  );
  console.log(`until then, in all, per replica: ${told(fleet.trafficSince(1))}`);
  await fleet.clock.advance(60_000);
  console.log(`at rest, per replica and tick: ${told(await fleet.traffic(12))}`);
  fleet.replicas[0].cut = true;
  const before = fleet.owned;
  console.log(
    `a replica with ${connections - before} connections is lost: all owned again after `
      + `${seconds(await fleet.until(() => fleet.owned === connections))}; loads ${spread(fleet.loads)}`,
  );
  await fleet.clock.advance(60_000);
  fleet.join();
  await fleet.clock.advance(45_000);
  console.log(`a replica joins: after 45 s ${fleet.owned} owned; loads ${spread(fleet.loads)}`);
  await fleet.clock.advance(90_000);
  console.log(`after 135 s ${fleet.owned} owned; loads ${spread(fleet.loads)}`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exit();
