import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { onTestFinished } from 'vitest';

const here = fileURLToPath(new URL('..', import.meta.url));

/** Frameworks that bundle resolve packages by themselves, so hydrant has to be one. It is built from its source. */
export async function installHydrant(): Promise<void> {
  const folder = join(here, 'node_modules', 'hydrant');
  await mkdir(folder, { recursive: true });
  const manifest = { name: 'hydrant', version: '0.0.0', type: 'module', exports: { '.': './index.js', './node': './node.js' } };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  await build({
    entryPoints: { index: join(here, '../../src/index.ts'), node: join(here, '../../src/adapters/node.ts') },
    splitting: true,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    external: ['node:*'],
    outdir: folder,
    logLevel: 'error',
  });
}

/** A copy of an application that may be built and edited. It is removed at the end of the test. */
export async function copyOf(application: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `hydrant-${application}-`));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await cp(join(here, application), folder, { recursive: true });
  await symlink(join(here, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

const environment = (): NodeJS.ProcessEnv => {
  const { NODE_OPTIONS: _options, NODE_ENV: _env, VITEST: _vitest, ...rest } = process.env;
  return { ...rest, NEXT_TELEMETRY_DISABLED: '1' };
};

export async function run(folder: string, command: string, ...parameters: string[]): Promise<void> {
  await promisify(execFile)(process.execPath, [join(folder, 'node_modules', command), ...parameters], {
    cwd: folder,
    env: environment(),
  });
}

export interface Running { readonly base: string; readonly output: () => string; stop(): Promise<number | null> }

/** Starts a server on a free port and waits until it answers. It is killed at the end of a test that has not stopped it. */
export async function start(
  folder: string,
  file: string,
  parameters: readonly string[],
  variables: NodeJS.ProcessEnv = {},
): Promise<Running> {
  const port = await freePort();
  const child: ChildProcess = spawn(process.execPath, [file, ...parameters], {
    cwd: folder,
    env: { ...environment(), PORT: String(port), HOST: '127.0.0.1', HOSTNAME: '127.0.0.1', ...variables },
  });
  let output = '';
  child.stdout?.on('data', (data) => { output += String(data); });
  child.stderr?.on('data', (data) => { output += String(data); });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const base = `http://127.0.0.1:${port}`;
  for (let turn = 0; turn < 600; turn += 1) {
    if (child.exitCode !== null) throw new Error(`it ended: ${output}`);
    if (await fetch(`${base}/status`).then(() => true, () => false)) break;
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  return {
    base, output: () => output,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
      const [code] = await exited;
      clearTimeout(timer);
      return code;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}
