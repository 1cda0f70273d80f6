import pg from 'pg';
import { PostgresStore } from 'hydrant/postgres';
import { expect, test } from 'vitest';
import { createDatabase, openPool } from '../support/databases.js';

/** A client of its own. PostgreSQL looks for its deadlocks after it has waited for this long. */
async function connect(url: string, deadlockTimeout: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  await client.query(`set deadlock_timeout = '${deadlockTimeout}'`);
  return client;
}

test.each(['put', 'delete', 'touch'] as const)('a %s that PostgreSQL aborts to resolve a deadlock is retried', async (verb) => {
  await using database = await createDatabase();
  const pool = openPool(database.url);
  const [victim, winner, gate] = await Promise.all([
    connect(database.url, '20ms'), connect(database.url, '1h'), connect(database.url, '1h'),
  ]);
  // The winner looks for a deadlock after 1 h only, so PostgreSQL aborts the query of the store.
  const store = new PostgresStore<{ n: number }>({ client: victim });
  await store.migrate();
  await store.put({ id: 'a', n: 1 });
  await pool.query(`
    create table audit (n int); insert into audit values (0); create sequence attempts;
    create function note() returns trigger language plpgsql as $$ begin
      perform nextval('attempts');
      perform pg_advisory_xact_lock_shared(1);
      update audit set n = n + 1;
      return null;
    end $$;
    create trigger note after update or delete on hydrant_connections for each row execute function note()`);
  const waiting = async (client: pg.Client): Promise<boolean> => {
    const { rows } = await pool.query<{ waits: boolean }>(
      `select exists (select from pg_stat_activity where pid = $1 and wait_event_type = 'Lock') as waits`,
      [(client as unknown as { processID: number }).processID],
    );
    return rows[0]?.waits ?? false;
  };
  const untilWaiting = (client: pg.Client): Promise<void> =>
    expect.poll(() => waiting(client), { timeout: 10_000, interval: 5 }).toBe(true);

  await gate.query('select pg_advisory_lock(1)');
  await winner.query('begin; update audit set n = 100');
  const write = verb === 'put' ? store.put({ id: 'a', n: 2 }) : store[verb]('a');
  write.catch(() => {});
  await untilWaiting(victim);
  const blocked = winner.query(`select from hydrant_connections where id = 'a' for update`);
  await untilWaiting(winner);
  await gate.query('select pg_advisory_unlock(1)');
  await blocked;
  await winner.query('commit');
  await write;

  const { rows } = await pool.query(`select n, (select last_value::int from attempts) as attempts from audit`);
  expect(rows).toEqual([{ n: 101, attempts: 2 }]);
  if (verb === 'put') expect(await store.get('a')).toMatchObject({ n: 2 });
  if (verb === 'delete') expect(await store.get('a')).toBeUndefined();
  await Promise.all([victim.end(), winner.end(), gate.end(), pool.end()]);
});
