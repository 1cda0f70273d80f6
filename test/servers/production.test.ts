import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { builtCopy } from '../examples/built-copy.js';
import { createDatabase, openPool, type TestDatabase } from './support/databases.js';

let copy: string;
let database: TestDatabase;
let pool: pg.Pool;
beforeAll(async () => {
  copy = await builtCopy();
  database = await createDatabase();
  pool = openPool(database.url);
  await pool.query('create table bots (id text primary key, token text, greeting text, paused_at timestamptz, last_error text)');
  await pool.query(`insert into bots values ('warm', 't', 'Hello'), ('cold', 't', 'Good day')`);
}, 90_000);
afterAll(async () => {
  await pool.end();
  await database[Symbol.asyncDispose]();
  rmSync(copy, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** Several processes are under way: real time passes, and a busy machine may be slow. */
const eventually = (probe: () => Promise<unknown>) =>
  expect.poll(() => probe().catch((error: unknown) => error), { timeout: 20_000, interval: 50 });

test('the gateway of the README survives the loss of all its database connections, and shuts down in order', async () => {
  const port = await freePort();
  const url = new URL(database.url);
  const gateway = spawn(process.execPath, [`${copy}/examples/production/gateway.mjs`], {
    env: {
      ...process.env, PORT: String(port), NOTICE_MS: '100',
      PGHOST: url.hostname, PGPORT: url.port, PGUSER: url.username, PGPASSWORD: url.password, PGDATABASE: database.name,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  gateway.stderr.on('data', (chunk: Buffer) => { stderr += chunk.toString(); });
  const exited = once(gateway, 'exit').then(([code, signal]) => ({ code, signal }));
  const origin = `http://127.0.0.1:${port}`;
  const send = async (id: string): Promise<unknown> => {
    const response = await fetch(`${origin}/webhooks/${id}`, { method: 'POST', headers: { 'x-token': 't' }, body: 'Ada' });
    return { status: response.status, ...(await response.json() as object) };
  };
  try {
    await eventually(() => send('warm')).toEqual({ status: 200, reply: 'Hello, Ada' });

    await pool.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()', [
      database.name,
    ]);
    await eventually(async () => stderr).toContain('database: terminating connection');
    expect(await send('warm')).toEqual({ status: 200, reply: 'Hello, Ada' });
    expect(await send('cold')).toEqual({ status: 200, reply: 'Good day, Ada' });

    gateway.kill('SIGTERM');
    await eventually(async () => (await fetch(`${origin}/ready`)).status).toBe(503);
    expect(await exited).toEqual({ code: 0, signal: null });
  } finally {
    gateway.kill('SIGKILL');
  }
}, 60_000);
