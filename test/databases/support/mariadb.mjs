import { chmodSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  findExecutable,
  freePort,
  run,
  serverEnvironment,
  serverFolder,
  startProcess,
  startServer,
  unprivileged,
} from '../../servers/support/process.mjs';

const PASSWORD = 'hydrant';

/** Starts a real MariaDB on loopback, in a folder of its own. */
export async function startMariadb() {
  const bin = findExecutable('mariadbd', ['/usr/sbin']);
  const install = findExecutable('mariadb-install-db');
  if (bin === undefined || install === undefined) throw new Error('MariaDB cannot be had: install mariadb-server');
  const folder = serverFolder('mariadb');
  const data = join(folder, 'data');
  const env = serverEnvironment();
  const init = join(folder, 'init.sql');
  writeFileSync(init, `create user hydrant@'127.0.0.1' identified by '${PASSWORD}';\ngrant all on *.* to hydrant@'127.0.0.1';\n`);
  chmodSync(init, 0o644);
  try {
    await run(install, ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db'], {
      ...unprivileged,
      cwd: folder,
      env,
    });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  const port = await freePort();
  const args = [
    '--no-defaults',
    `--datadir=${data}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    `--socket=${join(folder, 'socket')}`,
    `--pid-file=${join(folder, 'pid')}`,
    `--init-file=${init}`,
    '--innodb-flush-log-at-trx-commit=0',
    '--innodb-buffer-pool-size=32M',
    '--skip-log-bin',
    '--skip-name-resolve',
  ];
  return startServer({
    folder, port, url: `mysql://hydrant:${PASSWORD}@127.0.0.1:${port}/`,
    launch: () => startProcess({ command: bin, args, folder, port, env, user: unprivileged, signal: 'TERM' }),
  });
}
