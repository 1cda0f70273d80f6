import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { ConnectionRecord, InstanceFactory } from 'hydrant';
import { factoryConformance, type FarSideMode } from 'hydrant/testing';
import pg from 'pg';
import { describe, inject, test } from 'vitest';
import { guideFactory } from '../../testing/support/guide.js';

interface TenantRow extends ConnectionRecord { readonly connectionString: string }

/** A real PostgreSQL behind a port that can refuse, reset and hang. */
async function startFarSide() {
  const upstream = new URL(inject('postgresUrl'));
  const sockets = new Set<Socket>();
  let mode: FarSideMode = 'serve';
  let received = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => { sockets.delete(socket); });
    if (mode === 'reset') { socket.resetAndDestroy(); return; }
    if (mode === 'hang') { socket.resume(); return; }
    socket.on('data', () => { received += 1; });
    const database = connect(Number(upstream.port), upstream.hostname).on('error', () => {});
    socket.pipe(database).pipe(socket);
    socket.on('close', () => database.destroy());
  });
  const listen = (port: number): Promise<void> => new Promise((resolve) => { server.listen(port, '127.0.0.1', resolve); });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const own = new URL(upstream);
  own.hostname = '127.0.0.1';
  own.port = String(port);
  return {
    url: own.href,
    async behave(next: FarSideMode): Promise<void> {
      mode = next;
      if (next === 'refuse') await new Promise((resolve) => { server.close(resolve); });
      else if (!server.listening) await listen(port);
    },
    open: () => sockets.size,
    received: () => received,
    reset: () => { for (const socket of sockets) socket.resetAndDestroy(); },
    close: () => { for (const socket of sockets) socket.destroy(); server.close(); },
  };
}

describe("the guide's factory of a pool, with the real pg and PostgreSQL", () => {
  factoryConformance({ describe, it: test }, async () => {
    const side = await startFarSide();
    const record: TenantRow = { id: 'a', version: 1, status: 'active', connectionString: side.url };
    const factory = await guideFactory<InstanceFactory<TenantRow, pg.Pool>>('tenant', { pg });
    return { ...side, factory, record, use: (pool: pg.Pool) => pool.query('select 1') };
  }, { timeoutMs: 10_000, lives: 30 });
});
