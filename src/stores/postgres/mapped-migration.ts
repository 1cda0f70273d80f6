import { tableQuery, touchesJoin } from './catalogue.js';
import { dropOld, dropStranger, dropTriggers, functionFindings, makeTriggers, oldFindings, triggerFindings } from './findings.js';
import type { Layout } from './layout.js';
import type { MigrationParts } from './migration-parts.js';
import { notifyBody, notifyFunction } from './notify.js';
import { identifier, literal } from './quoting.js';

/** Marks a schema that a migration made, so that `down` drops no other. */
const SCHEMA_MARK = 'hydrant';

/**
 * The migration of a table that exists. It changes nothing about that table but its hint triggers. Everything else is in a
 * schema of hydrant's own, under the table's name: the table of touches, and the function of the triggers.
 *
 * Rights on the table of touches follow those on the table itself, because its ids come from there: a role that may read
 * the table may read its touches, and one that may update it may touch. No other role gains anything, and no function runs
 * with another role's rights.
 */
export function mappedMigration(layout: Layout): MigrationParts {
  const { objects, notify, table } = layout;
  const touches = layout.versions === 'table';
  const schema = identifier(objects);
  const functionName = `format('%I.%I', ${literal(objects)}, t.base || '_notify')`;
  const functionOid = `(select p.oid from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = ${literal(objects)} and p.proname = t.base || '_notify' and p.pronargs = 0)`;
  const tableOfTouches = `format('%I.%I', ${literal(objects)}, t.base)`;
  const from = `${tableQuery(layout)} ${touchesJoin(layout)}`;
  return {
    declare: 't record; item record;',
    findings: `select found.object, found.problem from ${from} cross join lateral (
  select ${literal(`table ${table}`)} as object, 'missing' as problem where t.oid is null
  ${touches ? `union all select 'table ' || ${tableOfTouches}, 'missing or different' where t.oid is not null and v.oid is null
  ${rightsFindings}` : `union all select 'table ' || v.name, 'not wanted' where v.oid is not null`}
  ${oldFindings(layout)}
  ${notify ? functionFindings(functionOid, functionName, notifyBody(layout))
    : `union all select 'function ' || p.oid::regprocedure, 'not wanted' from pg_proc p where p.oid = ${functionOid}`}
  ${triggerFindings(layout, functionOid)}) found`,
    up: `
  select * into t from ${tableQuery(layout)};
  if t.oid is null then raise undefined_table using message = ${literal(`hydrant: there is no table ${table}`)}; end if;
  if ${notify} and t.relkind = 'v' then raise undefined_table using message = 'hydrant: a view needs notify: false'; end if;
  ${dropOld(layout)}
  ${touches || notify ? `if not exists (select from pg_namespace where nspname = ${literal(objects)}) then
    create schema ${schema};
    comment on schema ${schema} is ${literal(SCHEMA_MARK)};
  end if;` : ''}
  ${touches ? `
  if not exists (select from ${from} where v.oid is not null) then
    execute format('drop table if exists %s', ${tableOfTouches});
  end if;
  execute format('create table if not exists %s (id text collate "C" primary key, version bigint not null)', ${tableOfTouches});
  for item in select w.grantee, w.rights, v.name from ${from}, lateral (${RIGHTS}) w loop
    execute format('grant usage on schema ${schema.replaceAll('%', '%%').replaceAll("'", "''")} to %s', item.grantee);
    execute format('grant %s on %s to %s', item.rights, item.name, item.grantee);
  end loop;` : `execute format('drop table if exists %s', ${tableOfTouches});`}
  ${notify ? `${dropStranger(functionOid, functionName)}
  execute format(${literal(notifyFunction('%s', layout, '%L'))}, ${functionName}, ${literal(notifyBody(layout))});
  execute format('revoke execute on function %s() from public', ${functionName});` : ''}
  ${makeTriggers(layout, functionName)}
  ${notify ? '' : `execute format('drop function if exists %s()', ${functionName});`}
  ${touches || notify ? '' : dropSchema(layout)}`,
    down: `
  select * into t from ${tableQuery(layout)};
  ${dropOld(layout)}
  if t.oid is not null then
    ${dropTriggers(layout)}
  end if;
  if exists (select from pg_namespace where nspname = ${literal(objects)}) then
    execute format('drop function if exists %s()', ${functionName});
    execute format('drop table if exists %s', ${tableOfTouches});
  end if;
  ${dropSchema(layout)}`,
  };
}

/**
 * The rights that a role needs on the table of touches `v`, for those it has on the table `t`. None with row-level security:
 * a role that may update some rows of `t` could touch all of them.
 */
const RIGHTS = `
  select case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end as grantee, a.grantee as role,
    case when bool_or(a.privilege_type = 'UPDATE') then 'select, insert, update' else 'select' end as rights
  from aclexplode(coalesce(t.relacl, acldefault('r', t.relowner))) a
  where a.privilege_type in ('SELECT', 'UPDATE') and a.grantee <> v.relowner and not t.relrowsecurity group by a.grantee`;

const rightsFindings = `
  union all select 'rights of ' || w.grantee || ' on ' || v.name, 'missing' from (${RIGHTS}) w
    where v.oid is not null and (exists (select from unnest(string_to_array(upper(w.rights), ', ')) needed where not exists (
        select from aclexplode(v.relacl) g where g.grantee = w.role and g.privilege_type = needed))
      or not exists (select from aclexplode(coalesce(v.nspacl, acldefault('n', v.nspowner))) g
        where g.grantee = w.role and g.privilege_type = 'USAGE'))`;

/** Drops the schema when it is empty and hydrant's. */
const dropSchema = ({ objects }: Layout): string => `
  begin
    if exists (select from pg_namespace n where n.nspname = ${literal(objects)}
      and obj_description(n.oid, 'pg_namespace') = ${literal(SCHEMA_MARK)}) then
      drop schema ${identifier(objects)};
    end if;
  exception when dependent_objects_still_exist then null;
  end;`;
