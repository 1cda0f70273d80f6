import pg from 'pg';
import { BOTS_TABLE, writeBot } from './gateway/bots-table.mjs';
import { BOOT_BOTS } from './scenarios.mjs';

/**
 * Creates a database with the table of bots. Each way gets one, so that none finds rows of another.
 *
 * @param {string} serverUrl
 * @param {string} name
 * @returns {Promise<{ url: string, drop: () => Promise<void> }>}
 */
export async function createDatabase(serverUrl, name) {
  const server = new pg.Client({ connectionString: serverUrl });
  await server.connect();
  await server.query(`create database ${name}`);
  const database = new URL(serverUrl);
  database.pathname = name;
  const client = new pg.Client({ connectionString: database.href });
  await client.connect();
  await client.query(BOTS_TABLE);
  for (const bot of BOOT_BOTS) await writeBot(client, bot);
  await client.end();
  return {
    url: database.href,
    async drop() {
      await server.query(`drop database ${name} with (force)`);
      await server.end();
    },
  };
}
