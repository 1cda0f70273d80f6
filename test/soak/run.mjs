// A soak outside of vitest: npm run proof:soak -- --minutes 10
// Prints one line of JSON per part, and ends by itself: nothing calls process.exit.
import { build } from 'esbuild';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const { values } = parseArgs({ options: {
  connections: { type: 'string', default: '1000000' },
  operations: { type: 'string', default: '20000' },
  requests: { type: 'string', default: '1000000' },
  minutes: { type: 'string', default: '0' },
} });
const folder = await mkdtemp(join(tmpdir(), 'hydrant-soak-'));
const outfile = join(folder, 'soak.mjs');
await build({
  entryPoints: [join(here, 'soak.ts')], bundle: true, format: 'esm', platform: 'node', outfile, logLevel: 'error',
  alias: { hydrant: join(here, '../../src/index.ts') },
});
const { churn, mixed, strangers } = await import(pathToFileURL(outfile).href);
await rm(folder, { recursive: true, force: true });

report('churn', await churn(Number(values.connections)));
report('strangers', await strangers(Number(values.requests)));
report('mixed', await mixed(Number(values.operations), Number(values.minutes)));
console.log('done');

function report(part, { samples, ...figures }) {
  console.log(
    JSON.stringify({
      part,
      ...figures,
      heapMiB: samples.map(({ heapMiB }) => Math.round(heapMiB * 10) / 10),
      live: samples.map(({ live }) => live),
      timers: samples.map(({ timers }) => timers),
    }),
  );
  if (figures.wrongs.length > 0) process.exitCode = 1;
}
