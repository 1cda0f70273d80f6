/**
 * Runs the portable suite on every runtime, against the package as it is packed, and prints a table.
 *
 *   npm run build && node test/runtimes/run-all.mjs [part of a name …]
 *
 * Runtimes come from npm's registry, through npx; nothing is added to the project.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { RUNTIMES } from './runtimes.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const HERE = fileURLToPath(new URL('.', import.meta.url));
const MINUTES = 60_000;
const run = promisify(execFile);

const application = mkdtempSync(join(tmpdir(), 'hydrant-runtimes-'));
try {
  await install();
  await bundleForWorkerd();
  const asked = process.argv.slice(2);
  const chosen = RUNTIMES.filter(
    ({ name, kind }) => asked.length === 0 || asked.some((part) => `${name} ${kind}`.toLowerCase().includes(part.toLowerCase())),
  );
  if (chosen.length === 0) throw new Error(`no runtime is called ${asked.join(' or ')}`);
  const results = [];
  for (const runtime of chosen) results.push(await attempt(runtime));
  console.log(`\n| runtime | ${'module'.padEnd(6)} | result |\n|---|---|---|`);
  for (const { name, kind, failure, seconds } of results)
    console.log(`| ${name} | ${kind.toUpperCase()} | ${failure === undefined ? `passes (${seconds} s)` : 'FAILS'} |`);
  process.exitCode = results.some(({ failure }) => failure !== undefined) ? 1 : 0;
} finally {
  rmSync(application, { recursive: true, force: true });
}

/** An application that has the packed package and its dependencies, and nothing else. */
async function install() {
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', application], { cwd: ROOT });
  const [{ filename }] = JSON.parse(stdout);
  writeFileSync(join(application, 'package.json'), JSON.stringify({ name: 'application', private: true, type: 'module' }));
  await run(
    'npm',
    [
      'install',
      '--ignore-scripts',
      '--prefer-offline',
      '--no-package-lock',
      '--no-audit',
      '--no-fund',
      join(application, filename),
    ],
    { cwd: application },
  );
  for (const file of readdirSync(HERE)) if (/\.[cm]js$/.test(file)) cpSync(join(HERE, file), join(application, file));
}

async function bundleForWorkerd() {
  mkdirSync(join(application, 'bundled'));
  await build({
    absWorkingDir: application,
    entryPoints: ['workerd.mjs'],
    outfile: 'bundled/worker.js',
    bundle: true,
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'browser'],
    logLevel: 'error',
  });
  writeFileSync(
    join(application, 'workerd.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const unitTests :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "worker", esModule = embed "bundled/worker.js")],
    compatibilityDate = "2026-11-01",
  ))],
);
`,
  );
}

async function attempt({ name, kind, expected, command: [file, args] }) {
  process.stdout.write(`${name} ${kind} … `);
  const since = performance.now();
  let failure;
  try {
    await run(file, args, {
      cwd: application,
      timeout: 5 * MINUTES,
      maxBuffer: 2 ** 24,
      env: { ...process.env, EXPECTED_RUNTIME: expected },
    });
  } catch (error) {
    failure = `${error.stdout ?? ''}${error.stderr ?? ''}` || String(error);
  }
  const seconds = Math.round((performance.now() - since) / 1000);
  console.log(failure === undefined ? `passes (${seconds} s)` : `FAILS\n${failure.slice(-4_000)}`);
  return { name, kind, failure, seconds };
}
