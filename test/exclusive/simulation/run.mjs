// Runs the simulation of claims outside of vitest, for as long as wanted:
//   node test/exclusive/simulation/run.mjs --count 100000 --seed 1
import { build } from 'esbuild';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '../../..');
const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    findings: { type: 'string', default: '1' },
  },
});

const folder = await mkdtemp(join(tmpdir(), 'hydrant-claims-'));
const outfile = join(folder, 'simulation.mjs');
await build({
  stdin: {
    contents: "export { generate } from './program.js'; export { report, simulate } from './simulate.js';",
    resolveDir: here,
    loader: 'ts',
  },
  bundle: true,
  format: 'esm',
  platform: 'node',
  outfile,
  sourcemap: 'inline',
  logLevel: 'error',
  alias: { 'hydrant/exclusive': join(root, 'src/exclusive/index.ts'), hydrant: join(root, 'src/index.ts') },
});
const { generate, report, simulate } = await import(pathToFileURL(outfile).href);

const began = performance.now();
const [first, count, wanted] = [values.seed, values.count, values.findings].map(Number);
let [programs, polls, takeovers, findings] = [0, 0, 0, 0];
const summary = () =>
  `${programs} programs in ${((performance.now() - began) / 1000).toFixed(0)} s: ${polls} polls, ${takeovers} `
    + `takeovers of expired claims, ${findings} findings`;
const timer = setInterval(() => console.log(summary()), 30_000);
for (let seed = first; seed < first + count && findings < wanted; seed += 1) {
  const result = await simulate(generate(seed));
  programs += 1;
  polls += result.polls;
  takeovers += result.takeovers;
  if (result.violation === undefined) continue;
  findings += 1;
  console.log(await report(seed));
  console.log(`replay: npm run proof:claims -- --seed ${seed} --count 1`);
}
clearInterval(timer);
console.log(summary());
await rm(folder, { recursive: true, force: true });
process.exitCode = findings === 0 ? 0 : 1;
