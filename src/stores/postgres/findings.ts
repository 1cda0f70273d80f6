import type { Layout } from './layout.js';
import { NOTIFY_EVENTS } from './notify.js';
import { derivedName, literal } from './quoting.js';

/*
 * Parts of a query for findings: each begins with `union all`, and reads the table as `t` (see `tableQuery`). Beside each
 * stands the PL/pgSQL that repairs it; it may use the record `item`.
 */

const OLD_TRIGGER = 'zzz_hydrant_version';
const OLD = 'of hydrant 0.1';

/** Functions and sequences of hydrant 0.1 are in the table's schema or in one of the search path. */
const old = (layout: Layout): { readonly functions: string; readonly sequences: string; readonly columns: string } => {
  const names = [
    derivedName(layout.tableName, '_hydrant_version'),
    ...(layout.mapped ? [derivedName(layout.tableName, '_hydrant_notify')] : []),
  ];
  const schemas = `(select n.oid from pg_namespace n where n.nspname = any(current_schemas(false)) or n.oid = t.relnamespace)`;
  const sequence = literal(derivedName(layout.tableName, '_hydrant_version_seq'));
  const own = layout.versionColumn === undefined ? 'null' : literal(layout.versionColumn);
  return {
    functions: `pg_proc p where p.proname in (${names.map(literal).join(', ')}) and p.prorettype = 'trigger'::regtype
      and p.pronamespace in ${schemas}`,
    sequences: `pg_class s where s.relkind = 'S' and s.relname = ${sequence} and s.relnamespace in ${schemas}`,
    columns: `pg_attribute a where ${layout.mapped} and a.attrelid = t.oid and not a.attisdropped and a.attnum > 0
      and a.atttypid = 'int8'::regtype and a.attname is distinct from ${own}
      and (a.attname = 'hydrant_version' or exists (select from pg_depend d join pg_class s on s.oid = d.objid
        where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = t.oid
        and d.refobjsubid = a.attnum and s.relkind = 'S' and s.relname = ${sequence}))`,
  };
};

/** Everything that hydrant 0.1 left. Its version trigger ran with the rights of the role that migrated. */
export function oldFindings(layout: Layout): string {
  const { functions, sequences, columns } = old(layout);
  return `
  union all select 'trigger ${OLD_TRIGGER} on ' || t.name, '${OLD}'
    where exists (select from pg_trigger g where g.tgrelid = t.oid and g.tgname = '${OLD_TRIGGER}')
  union all select 'function ' || p.oid::regprocedure, '${OLD}' from ${functions}
  union all select 'sequence ' || s.oid::regclass, '${OLD}' from ${sequences}
  union all select format('column %I of %s', a.attname, t.name), '${OLD}' from ${columns}`;
}

/** `t` is the table, and a record variable. A function that somebody else's trigger runs is dropped with that trigger. */
export function dropOld(layout: Layout): string {
  const { functions, sequences, columns } = old(layout);
  return `
  if t.oid is not null then execute format('drop trigger if exists ${OLD_TRIGGER} on %s', t.name); end if;
  for item in select p.oid::regprocedure as name from ${functions} loop
    execute format('drop function %s cascade', item.name);
  end loop;
  for item in select a.attname as name from ${columns} loop
    execute format('alter table %s drop column %I', t.name, item.name);
  end loop;
  for item in select s.oid::regclass as name from ${sequences} loop
    execute format('drop sequence %s cascade', item.name);
  end loop;`;
}

/**
 * The function of the hint triggers.
 *
 * @param found - SQL for its oid, null when there is none
 * @param name - SQL for its quoted name
 */
export function functionFindings(found: string, name: string, body: string): string {
  return `
  union all select 'function ' || ${name} || '()', case when p.oid is null then 'missing'
      when p.prosecdef or p.prosrc <> ${literal(body)} or p.proconfig is distinct from array['search_path=pg_catalog, pg_temp']
        then 'different'
      else 'may be executed by every role' end
    from (select ${found} as oid) wanted left join pg_proc p on p.oid = wanted.oid
    where t.oid is not null and (p.oid is null or p.prosecdef or p.prosrc <> ${literal(body)}
      or p.proconfig is distinct from array['search_path=pg_catalog, pg_temp']
      or exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) where grantee = 0))`;
}

const orNull = (name: string | null): string => (name === null ? 'null' : literal(name));

/** Drops a function of that name that no trigger can run, because it cannot be replaced. Fails if anything else uses it. */
export const dropStranger = (found: string, name: string): string => `
  if exists (select from pg_proc p where p.oid = ${found} and p.prorettype <> 'trigger'::regtype) then
    execute format('drop routine %s()', ${name});
  end if;`;

/** The triggers that send hints. `found` is SQL for the oid of their function. */
export function triggerFindings({ notify }: Layout, found: string): string {
  const wanted = Object.entries(NOTIFY_EVENTS)
    .map(
      ([event, { type, old: before, new: after }]) =>
        `('hydrant_notify_${event}', ${type}, ${orNull(before)}::name, ${orNull(after)}::name)`,
    )
    .join(', ');
  const asItShouldBe = `g.tgfoid = ${found} and g.tgtype = w.type and g.tgqual is null
      and g.tgoldtable is not distinct from w.before and g.tgnewtable is not distinct from w.after`;
  return `
  union all select format('trigger %I on %s', w.name, t.name),
      case when g.oid is null then 'missing' when not ${notify} then 'not wanted'
      when (${asItShouldBe}) is not true then 'different' else 'disabled' end
    from (values ${wanted}) w(name, type, before, after) left join pg_trigger g on g.tgrelid = t.oid and g.tgname = w.name
    where t.oid is not null and case
      when ${notify} then g.oid is null or (${asItShouldBe}) is not true or g.tgenabled not in ('O', 'A')
      else g.oid is not null end`;
}

/** Makes the triggers, or drops them. `name` is SQL for the quoted name of their function. */
export function makeTriggers({ notify }: Layout, name: string): string {
  return Object.entries(NOTIFY_EVENTS)
    .map(([event, { tables }]) =>
      notify
        ? `execute format('create or replace trigger hydrant_notify_${event} after ${event} on %s ${tables}
    for each statement execute function %s()', t.name, ${name});`
        : `execute format('drop trigger if exists hydrant_notify_${event} on %s', t.name);`,
    )
    .join('\n  ');
}

export const dropTriggers = (layout: Layout): string => makeTriggers({ ...layout, notify: false }, 'null');
