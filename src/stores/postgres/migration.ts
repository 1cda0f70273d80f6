import type { Database } from './database.js';
import type { Layout } from './layout.js';
import { mappedMigration } from './mapped-migration.js';
import { ownMigration } from './own-migration.js';
import type { MigrationParts } from './migration-parts.js';
import { dollarQuoted } from './quoting.js';

/** A migration as SQL statements, for migration files. Needs PostgreSQL 14 or later. */
export interface MigrationSql {
  readonly up: string;
  readonly down: string;
}

/** One difference between the database and what a store needs. */
export interface SchemaFinding {
  /** For example `trigger hydrant_notify_update on public.bots`. */
  readonly object: string;
  /** For example `missing`, `different`, `disabled`, `of hydrant 0.1`. */
  readonly problem: string;
}

/** A migration, in the parts that `migrate()` and `check()` are made of. */
export interface Migration extends MigrationSql {
  /** A query for every {@link SchemaFinding}. */
  readonly findings: string;
}

/** Migrations take turns, so that replicas that start together do not wait for each other's locks in a circle. */
const TAKE_TURNS = `perform pg_advisory_xact_lock(hashtextextended('hydrant.migrate', 0));`;

/** A migration may rewrite a table. */
const MIGRATION_TIMEOUT_MS = 600_000;

/**
 * Puts a migration together. Each direction is one statement, so one transaction through any driver and pooler. A file may
 * go on in the same transaction, so the settings are restored. Some drivers print every notice about what exists already.
 */
export function migrationBy({ findings, up, down, declare }: MigrationParts, lockTimeoutMs: number): Migration {
  const block = (body: string): string => `do ${dollarQuoted(`
#variable_conflict use_column
declare
  ${declare}
  lock_timeout_before text := current_setting('lock_timeout');
  messages_before text := current_setting('client_min_messages');
begin
  perform set_config('lock_timeout', '${lockTimeoutMs}', true);
  perform set_config('client_min_messages', 'warning', true);
  ${TAKE_TURNS}
  ${body}
  perform set_config('lock_timeout', lock_timeout_before, true);
  perform set_config('client_min_messages', messages_before, true);
end `)}`;
  return {
    findings,
    up: `${block(`if exists (${findings}) then\n  ${up}\n  end if;`)};\n`,
    down: `${block(down)};\n`,
  };
}

/** The migration of a layout. */
export const migrationOf = (layout: Layout, lockTimeoutMs: number): Migration =>
  migrationBy(layout.mapped ? mappedMigration(layout) : ownMigration(layout), lockTimeoutMs);

/** Compares, and changes nothing. */
export const findingsBy = ({ findings }: Migration, database: Database): Promise<readonly SchemaFinding[]> =>
  database.query<SchemaFinding>(`${findings} order by 1, 2`);

/** Compares, and repairs where there is something to repair. Resolves to what it found. */
export async function migrateBy(migration: Migration, database: Database): Promise<readonly SchemaFinding[]> {
  const findings = await findingsBy(migration, database);
  if (findings.length > 0) await database.query(migration.up, [], { timeoutMs: MIGRATION_TIMEOUT_MS });
  return findings;
}
