/**
 * @typedef {import('pg').Pool} Pool
 * @typedef {{ access: string, refresh: string, expired: boolean }} TokenRow
 * @typedef {(id: string) => Promise<string>} AccessTokenOf
 */

export const SCHEMA = `create table if not exists tokens (id text primary key, access text not null, refresh text not null,
  expired boolean not null)`;

const SELECT = 'select access, refresh, expired from tokens where id = $1';
const UPDATE = 'update tokens set access = $2, refresh = $3, expired = false where id = $1';

/** @param {string} url @param {string} refresh @returns {Promise<{ access: string, refresh: string }>} */
async function exchange(url, refresh) {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify({ refresh }) });
  if (!response.ok) throw new Error(`the token was refused with ${response.status}`);
  return response.json();
}

/**
 * The fault: two replicas read the same refresh token, and the second one to use it looks like a thief.
 *
 * @param {Pool} pool @param {string} url @returns {AccessTokenOf}
 */
export const withoutLock = (pool, url) => async (id) => {
  const { rows: [row] } = await pool.query(SELECT, [id]);
  if (!row.expired) return row.access;
  const fresh = await exchange(url, row.refresh);
  await pool.query(UPDATE, [id, fresh.access, fresh.refresh]);
  return fresh.access;
};

/**
 * The row is locked while its token is exchanged. A replica that waited reads the new one.
 *
 * @param {Pool} pool @param {string} url @returns {AccessTokenOf}
 */
export const withRowLock = (pool, url) => async (id) => {
  const { rows: [row] } = await pool.query(SELECT, [id]);
  if (!row.expired) return row.access;
  const client = await pool.connect();
  try {
    await client.query('begin');
    const { rows: [now] } = await client.query(`${SELECT} for update`, [id]);
    const fresh = now.expired ? await exchange(url, now.refresh) : undefined;
    if (fresh !== undefined) await client.query(UPDATE, [id, fresh.access, fresh.refresh]);
    await client.query('commit');
    return fresh?.access ?? now.access;
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
};
