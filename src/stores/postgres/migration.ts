import { OWN_DATA_COLUMN, qualified, type Layout } from './layout.js';
import { derivedName, dollarQuoted, fingerprint, identifier, invalidOption, literal } from './quoting.js';

/**
 * BEFORE triggers run in the order of their names, and this one must see what the others have made of the row
 * (https://www.postgresql.org/docs/current/trigger-definition.html).
 */
const VERSION_TRIGGER = 'zzz_hydrant_version';
const NOTIFY_EVENTS = {
  insert: 'referencing new table as after',
  update: 'referencing old table as before new table as after',
  delete: 'referencing old table as before',
  truncate: '',
} as const;
/** A payload must be shorter than 8000 bytes (https://www.postgresql.org/docs/current/sql-notify.html). */
const MAX_PAYLOAD_BYTES = 7_900;

/** A migration for those who migrate by file, as plain statements. Needs PostgreSQL 14. */
export interface MigrationSql {
  readonly up: string;
  readonly down: string;
}

/**
 * The migration of a layout.
 *
 * @throws ConnectionError `INVALID_OPTIONS` when a mapped table's `columns.config` is missing
 */
export function migrationOf(layout: Layout, lockTimeoutMs: number): MigrationSql & { readonly once: string } {
  const { table } = layout;
  const steps = stepsOf(layout);
  const mark = `hydrant ${fingerprint(steps.join('\n'))}`;
  const marked = [
    `set local lock_timeout = ${lockTimeoutMs}`,
    ...steps,
    `comment on trigger ${VERSION_TRIGGER} on ${table} is ${literal(mark)}`,
  ];
  return {
    up: script(marked),
    down: script([`set local lock_timeout = ${lockTimeoutMs}`, ...undoOf(layout)]),
    // One statement, so one transaction through any driver and pooler. Replicas that start together take turns, and
    // when there is nothing to do the table is not locked at all.
    once: `do ${dollarQuoted(`
begin
  perform pg_advisory_xact_lock(hashtextextended('hydrant.migrate', 0));
  if exists (
    select from pg_trigger t where t.tgrelid = to_regclass(${literal(table)}) and t.tgname = ${literal(VERSION_TRIGGER)}
      and obj_description(t.oid, 'pg_trigger') = ${literal(mark)}
  ) then return; end if;
  ${script(marked.map((statement) => statement.replace(/^select /, 'perform ')))}
end `)}`,
  };
}

/** Statements as one text. */
export const script = (statements: readonly string[]): string => statements.map((statement) => `${statement};\n`).join('');

function names({ schema, tableName }: Layout): { sequence: string; sequenceName: string; versionFunction: string; notifyFunction: string } {
  const sequenceName = derivedName(tableName, '_hydrant_version_seq');
  return {
    sequenceName,
    sequence: qualified(schema, sequenceName),
    versionFunction: qualified(schema, derivedName(tableName, '_hydrant_version')),
    notifyFunction: qualified(schema, derivedName(tableName, '_hydrant_notify')),
  };
}

function stepsOf(layout: Layout): string[] {
  const { table, notify } = layout;
  const { sequence, versionFunction, notifyFunction } = names(layout);
  const version = identifier(layout.versionColumn);
  return [
    layout.mapped
      // A constant default is kept in the catalogue: no row is rewritten.
      ? `alter table ${table} add column if not exists ${version} bigint not null default 0`
      : ownTable(layout),
    `create sequence if not exists ${sequence} as bigint`,
    `alter sequence ${sequence} owned by ${table}.${version}`,
    // Never below the time in milliseconds: a sequence that is dropped and created again does not repeat itself.
    `select setval(${literal(sequence)}, greatest((select last_value from ${sequence}), (extract(epoch from clock_timestamp()) * 1000)::bigint))`,
    `create or replace function ${versionFunction}() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as ${dollarQuoted(versionBody(layout))}`,
    `create or replace trigger ${VERSION_TRIGGER} before insert or update on ${table} for each row execute function ${versionFunction}()`,
    ...(notify ? [
      `create or replace function ${notifyFunction}() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as ${dollarQuoted(notifyBody(layout))}`,
      ...Object.entries(NOTIFY_EVENTS).map(([event, tables]) => `create or replace trigger hydrant_notify_${event} after ${event} on ${table} ${tables} for each statement execute function ${notifyFunction}()`),
    ] : undoNotify(layout)),
  ];
}

function ownTable(layout: Layout): string {
  const status = identifier(layout.statusColumn ?? 'status');
  return `create table if not exists ${layout.table} (
  ${identifier(layout.idColumn)} text primary key,
  ${status} text not null default 'active' check (${status} in ('active', 'stopped')),
  ${identifier(layout.versionColumn)} bigint not null,
  ${identifier(OWN_DATA_COLUMN)} jsonb not null default '{}'
)`;
}

/**
 * The version is the trigger's alone: whatever a statement says, an unchanged row keeps its version and a changed one
 * gets the next of the sequence. Null asks for a new one. The comparison is dynamic, for a cached plan would fail
 * every writer that is connected when a column's type changes.
 */
function versionBody(layout: Layout): string {
  const { configColumns, idColumn, stopped, where, visible } = layout;
  if (configColumns === undefined) throw invalidOption('columns.config', 'the columns whose change makes a new version', undefined);
  const version = identifier(layout.versionColumn);
  const state = `row(${[
    `${identifier(idColumn)}::text`, stopped, ...(where === undefined ? [] : [visible]), ...configColumns.map((column) => `${identifier(column)}::text`),
  ].join(', ')})`;
  const of = (parameter: number): string => `(select ${state.replaceAll('%', '%%')} from (select ($${parameter}::%1$I.%2$I).*) hydrant)`;
  const changed = `select ${of(1)} is distinct from ${of(2)}`;
  // Beside the table, wherever the search path has found it: a partition may be in another schema.
  const next = `format('%s.%I', (select relnamespace::regnamespace from pg_class where oid = coalesce(pg_partition_root(tg_relid), tg_relid)), ${literal(names(layout).sequenceName)})`;
  return `
declare
  changed boolean := true;
begin
  if tg_op = 'UPDATE' and new.${version} is not null then
    execute format(${literal(changed)}, tg_table_schema, tg_table_name) into changed using old, new;
  end if;
  if changed then
    new.${version} := nextval(${next}::regclass);
  else
    new.${version} := old.${version};
  end if;
  return new;
end `;
}

/** Ids only, of rows whose version is not what it was, in as many payloads as they need. An empty one: anything may have changed. */
function notifyBody(layout: Layout): string {
  const channel = literal(layout.channel);
  const row = `${identifier(layout.idColumn)}::text as id, ${identifier(layout.versionColumn)} as version`;
  const loop = (ids: string): string => `
    for item in select distinct to_json(id)::text from (${ids}) changed loop
      if octet_length(item) > ${MAX_PAYLOAD_BYTES} then
        perform pg_notify(${channel}, '');
      elsif octet_length(payload) + octet_length(item) > ${MAX_PAYLOAD_BYTES} then
        perform pg_notify(${channel}, '[' || payload || ']');
        payload := item;
      else
        payload := payload || case when payload = '' then '' else ',' end || item;
      end if;
    end loop;`;
  return `
declare
  item text;
  payload text := '';
begin
  if tg_op = 'TRUNCATE' then
    perform pg_notify(${channel}, '');
  elsif tg_op = 'INSERT' then${loop(`select ${row} from after`)}
  elsif tg_op = 'DELETE' then${loop(`select ${row} from before`)}
  else${loop(`(select ${row} from after except select ${row} from before) union (select ${row} from before except select ${row} from after)`)}
  end if;
  if payload <> '' then
    perform pg_notify(${channel}, '[' || payload || ']');
  end if;
  return null;
end `;
}

function undoNotify(layout: Layout): string[] {
  return [
    ...Object.keys(NOTIFY_EVENTS).map((event) => `drop trigger if exists hydrant_notify_${event} on ${layout.table}`),
    `drop function if exists ${names(layout).notifyFunction}()`,
  ];
}

function undoOf(layout: Layout): string[] {
  const { versionFunction, notifyFunction } = names(layout);
  // The sequence belongs to the version's column, and goes with it.
  return layout.mapped
    ? [
      ...undoNotify(layout),
      `drop trigger if exists ${VERSION_TRIGGER} on ${layout.table}`,
      `drop function if exists ${versionFunction}()`,
      `alter table ${layout.table} drop column if exists ${identifier(layout.versionColumn)}`,
    ]
    : [
      `drop table if exists ${layout.table}`,
      `drop function if exists ${versionFunction}()`,
      `drop function if exists ${notifyFunction}()`,
    ];
}
