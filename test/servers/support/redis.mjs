import { join } from 'node:path';
import { libraryPath, unpackDebian } from './debian.mjs';
import { findExecutable, freePort, serverEnvironment, serverFolder, startProcess, startServer } from './process.mjs';

async function executable() {
  const own = findExecutable('redis-server');
  if (own !== undefined) return { command: own, env: serverEnvironment() };
  const root = await unpackDebian('redis', [
    'redis-server',
    'redis-tools',
    'libjemalloc2',
    'liblzf1',
    'libatomic1',
    'libssl3',
    'libsystemd0',
  ]);
  return { command: join(root, 'usr/bin/redis-server'), env: serverEnvironment({ LD_LIBRARY_PATH: libraryPath(root) }) };
}

/** Starts a real Redis on loopback, or takes the one TEST_REDIS_URL names. */
export async function startRedis({ settings = {}, own = false } = {}) {
  const given = process.env.TEST_REDIS_URL;
  if (!own && given !== undefined && given !== '') {
    return {
      url: given,
      port: Number(new URL(given).port || 6379),
      folder: undefined,
      pid: undefined,
      halt: notOurs,
      resume: notOurs,
      async stop() {},
    };
  }
  const { command, env } = await executable();
  const folder = serverFolder('redis', {});
  const port = await freePort();
  // The append-only file is written before a command is answered, so answered commands survive a kill.
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--save',
    '',
    '--appendonly',
    'yes',
    '--daemonize',
    'no',
    ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
  ];
  return startServer({
    folder, port, url: `redis://127.0.0.1:${port}`,
    launch: () => startProcess({ command, args, folder, port, env, signal: 'TERM' }),
  });
}

async function notOurs() {
  throw new Error('The Redis of TEST_REDIS_URL is not ours to end');
}
