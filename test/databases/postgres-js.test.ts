import postgres from 'postgres';
import { afterAll } from 'vitest';
import { postgresJsClient } from 'hydrant/postgres';
import { tableStoreCases } from './support/cases.js';
import { postgresStoreCases } from './support/postgres-store.js';
import { POSTGRES, postgresDatabase } from './support/postgres.js';

const database = await postgresDatabase();
const recipe = await import('./recipes/postgres-js.js');
afterAll(() => recipe.sql.end());

tableStoreCases({ client: 'postgres.js', engine: POSTGRES }, database.bots, recipe);
postgresStoreCases({
  name: 'postgres.js', engine: POSTGRES, client: recipe.client, pool: database.pool,
  listenClient: recipe.listenClient,
  interrupt: database.cutListeners,
});

// Its options that change how values travel.
for (const options of [{ fetch_types: false }, { prepare: false }]) {
  const sql = postgres(database.url, { max: 4, ...options });
  afterAll(() => sql.end());
  postgresStoreCases({
    name: `postgres.js, ${JSON.stringify(options).slice(1, -1).replaceAll('"', '').replace(':', ': ')}`,
    engine: POSTGRES,
    client: postgresJsClient(sql),
    pool: database.pool,
  });
}
