import { randomUUID } from 'node:crypto';
import { inArray } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import { tableStore } from 'hydrant';
import { drizzleClient } from 'hydrant/postgres';

export const bots = pgTable('bots', {
  id: text('id').primaryKey(),
  token: text('token').notNull(),
  pausedAt: timestamp('paused_at', { withTimezone: true }),
  lastError: text('last_error'),
  // Only for `version: (row) => row.rev`: every insert and update through Drizzle makes a new one.
  rev: text('rev').notNull().$onUpdateFn(() => randomUUID()),
});

export const db = drizzle(process.env['DATABASE_URL']!);
db.$client.on('error', (error) => console.error('an idle connection was lost', error));

export const read = async (ids: readonly string[]) => await db.select().from(bots).where(inArray(bots.id, ids));

export const store = tableStore({
  read,
  status: (row) => (row.pausedAt === null ? 'active' : 'stopped'),
  ignore: ['lastError', 'rev'],
});

// For PostgresStore and PostgresClaims:
export const client = drizzleClient(db);
