import express from 'express';
import pg from 'pg';
import { ConnectionRegistry, tableStore } from 'hydrant';
import { expressWebhook } from 'hydrant/express';
import { factory } from './bot.mjs';

const pool = new pg.Pool({ query_timeout: 5_000, connectionTimeoutMillis: 5_000 });
pool.on('error', (error) => console.warn(`database: ${error.message}`)); // without a listener, it ends the process

const registry = new ConnectionRegistry({
  factory,
  store: tableStore({
    read: async (ids) => (await pool.query('select * from bots where id = any($1)', [ids])).rows,
    status: (row) => (row.paused_at ? 'stopped' : 'active'),
    ignore: ['last_error'],
  }),
  freshness: { maxStaleMs: 1_000 }, // a live connection is read again once its last read is a second old
  staleIfErrorMs: 30_000, // a live connection is served until this long after its last read, even if the database is down
});

let ending = false;
const app = express();
app.get('/ready', (_request, response) => { response.sendStatus(ending ? 503 : 200); });
app.all('/webhooks/:connectionId', expressWebhook(registry)); // before body parsers
const server = app.listen(process.env.PORT ?? 3000);

process.once('SIGTERM', () => {
  ending = true; // the readiness probe fails
  setTimeout(() => { // the load balancer has noticed
    server.close(async () => { // requests in flight have completed
      await registry.close(); // leases and waitUntil work have ended, and instances are disposed of
      await pool.end();
    });
    setInterval(() => server.closeIdleConnections(), 500).unref();
  }, Number(process.env.NOTICE_MS ?? 5_000));
});
