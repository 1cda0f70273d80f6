import { existsSync } from 'node:fs';
import { chown, cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { libraryPath, unpackDebian } from './debian.mjs';
import {
  findExecutable,
  freePort,
  reachableByOthers,
  serverEnvironment,
  serverFolder,
  startProcess,
  startServer,
  unprivileged,
} from './process.mjs';

const PACKAGES = ['pgbouncer', 'libevent-2.1-7', 'libc-ares2', 'libpam0g', 'libssl3', 'libsystemd0'];

async function executable(folder) {
  const own = findExecutable('pgbouncer', ['/usr/sbin', '/usr/local/sbin']);
  if (own !== undefined) return { command: own, env: serverEnvironment() };
  let root = await unpackDebian('pgbouncer', PACKAGES);
  if (unprivileged.uid !== undefined && !reachableByOthers(root)) {
    // The user that runs it must be able to read it, so it is copied out of a checkout in a closed folder.
    await cp(root, join(folder, 'root'), { recursive: true, verbatimSymlinks: true });
    root = join(folder, 'root');
  }
  return { command: join(root, 'usr/sbin/pgbouncer'), env: serverEnvironment({ LD_LIBRARY_PATH: libraryPath(root) }) };
}

/** Starts a real PgBouncer in transaction mode in front of a database. */
export async function startPgBouncer(databaseUrl, { poolSize = 4 } = {}) {
  const folder = serverFolder('pgbouncer');
  try {
    return await start(databaseUrl, poolSize, folder);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function start(databaseUrl, poolSize, folder) {
  const { command, env } = await executable(folder);
  if (!existsSync(command)) throw new Error(`${command} is not there`);
  const port = await freePort();
  const { hostname, port: databasePort, pathname, username, password } = new URL(databaseUrl);
  const name = pathname.slice(1);
  const target = `host=${hostname} port=${databasePort || 5432} dbname=${name} `
    + `user=${username}${password === '' ? '' : ` password=${decodeURIComponent(password)}`}`;
  const config = join(folder, 'pgbouncer.ini');
  await writeFile(config, `[databases]
${name} = ${target}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${poolSize}
max_client_conn = 200
`);
  if (unprivileged.uid !== undefined) await chown(config, unprivileged.uid, unprivileged.gid);
  return startServer({
    folder, port, url: `postgres://${username}@127.0.0.1:${port}/${name}`,
    launch: () => startProcess({ command, args: [config], folder, port, env, signal: 'TERM', user: unprivileged }),
  });
}
