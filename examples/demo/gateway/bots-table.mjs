/** The gateway's own table. */
export const BOTS_TABLE = `
  create table bots (
    id             text primary key,
    status         text not null default 'active',
    signing_secret text not null,
    bot_token      text not null,
    greeting       text not null
  )`;

/**
 * @typedef {import('./slack-bot.mjs').Bot} Bot
 * @typedef {{ query: (text: string, values?: unknown[]) => Promise<{ rows: Record<string, any>[] }> }} Client
 */

/**
 * @param {Record<string, any>} row
 * @returns {Bot}
 */
export function toBot(row) {
  return { id: row.id, status: row.status, signingSecret: row.signing_secret, botToken: row.bot_token, greeting: row.greeting };
}

/**
 * @param {Client} client
 * @returns {Promise<Bot[]>}
 */
export async function readActiveBots(client) {
  const { rows } = await client.query(`select * from bots where status = 'active'`);
  return rows.map(toBot);
}

/**
 * @param {Client} client
 * @param {string} id
 * @returns {Promise<Bot | undefined>}
 */
export async function readActiveBot(client, id) {
  const { rows } = await client.query(`select * from bots where id = $1 and status = 'active'`, [id]);
  return rows[0] && toBot(rows[0]);
}

/**
 * @param {Client} client
 * @param {Bot} bot
 */
export async function writeBot(client, { id, status, signingSecret, botToken, greeting }) {
  await client.query(
    `insert into bots (id, status, signing_secret, bot_token, greeting) values ($1, $2, $3, $4, $5)
     on conflict (id) do update set status = $2, signing_secret = $3, bot_token = $4, greeting = $5`,
    [id, status, signingSecret, botToken, greeting],
  );
}
