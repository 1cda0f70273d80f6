import { neonConfig, Pool } from '@neondatabase/serverless';
import { drizzle } from 'drizzle-orm/neon-http';
import { drizzleClient, PostgresStore } from 'hydrant/postgres';
import { afterAll, expect, test } from 'vitest';
import ws from 'ws';
import { tableStoreCases } from './support/cases.js';
import { startNeonProxy } from './support/neon-proxy.js';
import { postgresStoreCases } from './support/postgres-store.js';
import { POSTGRES, postgresDatabase } from './support/postgres.js';

const database = await postgresDatabase();
const proxy = await startNeonProxy(database.url);
Object.assign(neonConfig, {
  fetchEndpoint: `http://127.0.0.1:${proxy.port}/sql`, wsProxy: () => `127.0.0.1:${proxy.port}/v2`, webSocketConstructor: ws,
  useSecureWebSocket: false, pipelineTLS: false, pipelineConnect: false,
});
// Its form wants a password; the server behind the proxy asks for none.
process.env['DATABASE_URL'] = database.url.replace('postgres@', 'postgres:none@');
const recipe = await import('./recipes/neon.js');
const pool = new Pool({ connectionString: process.env['DATABASE_URL'] });
pool.on('error', () => {});
afterAll(async () => {
  await pool.end();
  await proxy.close();
});

tableStoreCases({ client: 'Neon by HTTP', engine: POSTGRES }, database.bots, recipe);
postgresStoreCases({ name: 'Neon by HTTP', engine: POSTGRES, client: recipe.client, pool: database.pool });
postgresStoreCases({ name: 'Neon by WebSocket', engine: POSTGRES, client: pool, pool: database.pool });

test('Drizzle over Neon by HTTP is a client', async () => {
  const store = new PostgresStore<{ token: string }>({ client: drizzleClient(drizzle(recipe.sql)), table: 'neon_drizzle' });
  await store.migrate();
  for (const token of ['1', '2']) expect(await store.put({ id: 'acme', token })).toMatchObject({ token });
});
