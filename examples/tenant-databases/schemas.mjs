import pg from 'pg';

/**
 * Makes a schema with a table of its own for each tenant. A tenant with a database, or a server, of its own only has
 * another URL.
 *
 * @param {string} server
 * @param {number} count
 */
export async function makeTenants(server, count) {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  // In batches: one statement would need a lock per table it makes.
  for (let from = 1; from <= count; from += 500) {
    await client.query(`do $$ begin
      for n in ${from}..${Math.min(count, from + 499)} loop
        execute format('create schema t%s create table notes (text varchar(60) not null)', n);
        execute format('insert into t%s.notes values (%L)', n, 'of tenant ' || n);
      end loop;
    end $$`);
  }
  await client.end();
  return Array.from({ length: count }, (_, index) => ({ id: `t${index + 1}`, url: urlOf(server, `t${index + 1}`) }));
}

/** @param {string} server @param {string} tenant */
export function urlOf(server, tenant) {
  const url = new URL(server);
  url.searchParams.set('options', `-c search_path=${tenant}`);
  return url.href;
}
