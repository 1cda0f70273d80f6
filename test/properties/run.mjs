// oxlint-disable unicorn/require-post-message-target-origin -- these are threads, not windows
// Runs the simulation outside of vitest, by the million: node test/properties/run.mjs --count 1000000 --workers 2
// SIM_COUNT, SIM_SEED, SIM_KIND and SIM_WORKERS do the same as --count, --seed, --kind and --workers.
import { build } from 'esbuild';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '../..');
const CHUNK = 2_000;

if (isMainThread) await main();
else await work();

async function main() {
  const { values } = parseArgs({ options: {
    count: { type: 'string', default: process.env.SIM_COUNT ?? '100000' },
    seed: { type: 'string', default: process.env.SIM_SEED ?? '1' },
    kind: { type: 'string', default: process.env.SIM_KIND ?? 'both' },
    workers: { type: 'string', default: process.env.SIM_WORKERS ?? '1' },
    findings: { type: 'string', default: '1' },
  } });
  const folder = await mkdtemp(join(tmpdir(), 'hydrant-simulation-'));
  const bundle = join(folder, 'simulation.mjs');
  await build({
    stdin: {
      contents: "export { campaign } from './simulation/campaign.js'; export { ConnectionRegistry } from 'hydrant';",
      resolveDir: here,
      loader: 'ts',
    },
    bundle: true,
    format: 'esm',
    platform: 'node',
    outfile: bundle,
    alias: { hydrant: join(root, 'src/index.ts') },
    sourcemap: 'inline',
    logLevel: 'error',
  });
  const jobs = jobsOf(values);
  const wanted = Number(values.findings);
  const findings = [];
  let programs = 0;
  const began = performance.now();
  const report = setInterval(
    () =>
      console.log(
        `${programs} programs, ${Math.round((programs / (performance.now() - began)) * 1000)} a second, `
          + `${findings.length} findings`,
      ),
    30_000,
  );
  await Promise.all(Array.from({ length: Number(values.workers) }, () => new Promise((done, failed) => {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { bundle } });
    const next = () => {
      const job = findings.length < wanted ? jobs.next().value : undefined;
      if (job === undefined) void worker.terminate().then(done);
      else worker.postMessage(job);
    };
    worker.on('error', failed);
    worker.on('message', (found) => {
      if (found.ready !== true) {
        programs += found.count;
        for (const finding of found.findings) { findings.push(finding); console.log(`${finding.report}\n`); }
      }
      next();
    });
  })));
  clearInterval(report);
  await rm(folder, { recursive: true, force: true });
  const byKind = Object.groupBy?.(findings, (finding) => finding.guarantee) ?? {};
  console.log(
    `${programs} programs in ${((performance.now() - began) / 1000).toFixed(1)} s, ${findings.length} findings`,
    Object.fromEntries(Object.entries(byKind).map(([key, list]) => [key, list.length])),
  );
  process.exitCode = findings.length === 0 ? 0 : 1;
}

/** One program in four is about webhooks, unless a kind is asked for. */
function* jobsOf({ count, seed, kind, findings }) {
  let left = Number(count);
  for (let from = Number(seed); left > 0; from += CHUNK) {
    const size = Math.min(CHUNK, left);
    left -= size;
    const hooks = kind === 'webhooks' ? size : kind === 'uses' ? 0 : Math.ceil(size / 4);
    if (size - hooks > 0) yield { kind: 'uses', from, count: size - hooks, findings: Number(findings) };
    if (hooks > 0) yield { kind: 'webhooks', from, count: hooks, findings: Number(findings) };
  }
}

async function work() {
  const { campaign, ConnectionRegistry } = await import(pathToFileURL(workerData.bundle).href);
  parentPort.on('message', async (job) => {
    const findings = await campaign(ConnectionRegistry, { ...job, replayEvery: 50 });
    parentPort.postMessage({ count: job.count, findings });
  });
  parentPort.postMessage({ ready: true });
}
