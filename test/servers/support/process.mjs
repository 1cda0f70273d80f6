import { spawn } from 'node:child_process';
import { accessSync, chownSync, closeSync, constants, mkdtempSync, openSync, readFileSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

/** Servers that refuse to run as root are run as `nobody`. */
export const unprivileged = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

/** Whether another user may walk down to `path`. */
export function reachableByOthers(path) {
  for (let folder = path; ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

/** A new folder for one server, owned by the user it runs as. */
export function serverFolder(name, owner = unprivileged) {
  const base = owner.uid === undefined || reachableByOthers(tmpdir()) ? tmpdir() : '/tmp';
  const folder = mkdtempSync(join(base, `hydrant-${name}-`));
  if (owner.uid !== undefined) chownSync(folder, owner.uid, owner.gid);
  return folder;
}

/** The first of PATH's folders and `others` that holds an executable `name`. */
export function findExecutable(name, others = []) {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...others]) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here.
    }
  }
  return undefined;
}

/**
 * A loopback port that is free. Below those that systems give to outgoing connections (32768 and up on Linux), or one
 * of them might take it before the server does.
 */
export async function freePort() {
  for (let tries = 0; ; tries += 1) {
    const server = createServer();
    try {
      const port = 15_000 + Math.floor(Math.random() * 17_000);
      await new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
      await new Promise((resolve) => server.close(resolve));
      return port;
    } catch (error) {
      if (tries === 100) throw error;
    }
  }
}

/** Runs a command to its end and returns its output. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (chunk) => { output += chunk; });
    child.stderr.on('data', (chunk) => { output += chunk; });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${command} ended with ${code}: ${output.trim().slice(-2000)}`));
    });
  });
}

/** Environment without what would change a server's behaviour from outside. */
export function serverEnvironment(extra = {}) {
  return { PATH: process.env.PATH, LANG: 'C', LC_ALL: 'C', USER: userInfo().username, ...extra };
}

/**
 * Ends a server whose starter is gone. The guard's standard input is a pipe from the starter, which the system closes
 * even after a kill -9.
 */
const GUARD = `
  if read -r word; then exit 0; fi
  kill "-$3" "$1" 2>/dev/null
  tries=0
  running() { kill -0 "$1" 2>/dev/null && ! grep -q '^State:.*zombie' "/proc/$1/status" 2>/dev/null; }
  while running "$1" && [ "$tries" -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
  kill -KILL "$1" 2>/dev/null
  rm -rf "$2"`;

/**
 * Starts a server process, waits until `port` accepts connections, and sees to it that neither the process nor its
 * folder outlives this process. Neither keeps this process alive.
 */
export async function startProcess({ command, args, folder, port, signal = 'INT', env = serverEnvironment(), user = {} }) {
  const logPath = join(folder, 'log');
  const log = openSync(logPath, 'a');
  const child = spawn(command, args, { ...user, cwd: folder, env, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  let failure;
  const ended = new Promise((resolve) => {
    child.once('error', (error) => { failure = error; resolve(); });
    child.once('exit', () => resolve());
  });
  child.unref();
  const guard =
    child.pid === undefined
      ? undefined
      : spawn('/bin/sh', ['-c', GUARD, 'hydrant-guard', String(child.pid), folder, signal], {
          detached: true,
          stdio: ['pipe', 'ignore', 'ignore'],
        });
  guard?.unref();
  guard?.stdin.unref();
  guard?.stdin.on('error', () => {});

  const server = {
    pid: child.pid,
    /** Ends the process and leaves the folder. */
    async end(how = `SIG${signal}`) {
      if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
        child.kill(how);
        const kill = setTimeout(() => child.kill('SIGKILL'), 10_000);
        await ended;
        clearTimeout(kill);
      }
      guard?.stdin.end('done\n');
    },
  };
  const deadline = Date.now() + 30_000;
  while (!(await accepts(port))) {
    if (failure !== undefined || child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
      await server.end('SIGKILL');
      throw new Error(`${command} did not start: ${failure?.message ?? readFileSync(logPath, 'utf8').slice(-2000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return server;
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => { socket.destroy(); resolve(true); });
    socket.once('error', () => resolve(false));
  });
}

/**
 * A server that can be ended and started again on its port and data, as outages do, and that is gone without a trace
 * after `stop`.
 */
export async function startServer({ launch, folder, url, port }) {
  let current;
  try {
    current = await launch();
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    url,
    port,
    folder,
    get pid() { return current?.pid; },
    async halt(how) {
      const halted = current;
      current = undefined;
      await halted?.end(how);
    },
    async resume() {
      current ??= await launch();
    },
    async stop() {
      await this.halt();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
