import { inArray } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { pgTable, text, varchar } from 'drizzle-orm/pg-core';
import { tableStore } from 'hydrant';
import pg from 'pg';

/** The row of each tenant, in the application's own database. */
export const tenants = pgTable('tenants', { id: text('id').primaryKey(), url: text('url').notNull() });

/** A table that every tenant has in its own schema. */
export const notes = pgTable('notes', { text: varchar('text', { length: 60 }).notNull() });

/**
 * A store over the table of tenants.
 * @param {import('drizzle-orm/node-postgres').NodePgDatabase} db
 */
export function tenantStore(db) {
  return tableStore({ read: (ids) => db.select().from(tenants).where(inArray(tenants.id, [...ids])) });
}

/**
 * Makes a schema for each tenant, and the table of tenants. A tenant whose data is in another database or on another
 * server has another URL.
 *
 * @param {string} server
 * @param {number} count
 */
export async function makeTenants(server, count) {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  // In batches, because one statement holds a lock for each table that it makes.
  for (let from = 1; from <= count; from += 500) {
    await client.query(`do $$ begin
      for n in ${from}..${Math.min(count, from + 499)} loop
        execute format('create schema t%s create table notes (text varchar(60) not null)', n);
        execute format('insert into t%s.notes values (%L)', n, 'of tenant ' || n);
      end loop;
    end $$`);
  }
  const rows = Array.from({ length: count }, (_, index) => ({ id: `t${index + 1}`, url: urlOf(server, `t${index + 1}`) }));
  await client.query('create table tenants (id text primary key, url text not null)');
  await drizzle(client).insert(tenants).values(rows);
  await client.end();
  return rows;
}

/** @param {string} server @param {string} tenant */
export function urlOf(server, tenant) {
  const url = new URL(server);
  url.searchParams.set('options', `-c search_path=${tenant}`);
  return url.href;
}
