import { pgTable, text, timestamp } from 'drizzle-orm/pg-core';

/** The table as `drizzle-kit push` is to make it; `note` is new. */
export const bots = pgTable('bots', {
  id: text('id').primaryKey(),
  token: text('token').notNull(),
  pausedAt: timestamp('paused_at', { withTimezone: true }),
  lastError: text('last_error'),
  rev: text('rev').notNull(),
  note: text('note'),
});
