import { hasKey, tableQuery } from './catalogue.js';
import { dropOld, dropStranger, functionFindings, makeTriggers, oldFindings, triggerFindings } from './findings.js';
import { OWN_DATA_COLUMN, OWN_TOUCHED_COLUMN, qualified, type Layout } from './layout.js';
import type { MigrationParts } from './migration-parts.js';
import { notifyBody, notifyFunction } from './notify.js';
import { derivedName, fingerprint, identifier, literal } from './quoting.js';

/**
 * The migration of the store's own table. Its function lives beside it. A version column of another kind is the bigint of
 * hydrant 0.1, or one that somebody changed. No decimal number looks like a hash.
 */
export function ownMigration(layout: Layout): MigrationParts {
  const { schema, tableName, table } = layout;
  const [id, status, version] = [layout.idColumn, layout.statusColumn ?? 'status', layout.versionColumn ?? 'version'];
  const [touched, data] = [OWN_TOUCHED_COLUMN, OWN_DATA_COLUMN];
  const notify = qualified(schema, derivedName(tableName, '_hydrant_notify'));
  const notifyOid = `to_regprocedure(${literal(`${notify}()`)})`;
  const generated = `text generated always as (${hashOf(...[id, status, touched, data].map(identifier))}) stored`;
  const mark = `hydrant ${fingerprint(generated)}`;
  const missing = (names: readonly string[]): string => `unnest(array[${names.map(literal).join(', ')}]) name
    where t.oid is not null and not exists (select from pg_attribute a
      where a.attrelid = t.oid and a.attname = name and not a.attisdropped)`;
  const hasVersion = `exists (select from pg_attribute a where a.attrelid = t.oid and a.attname = ${literal(version)}
      and not a.attisdropped and a.attgenerated = 's' and col_description(t.oid, a.attnum) = ${literal(mark)})`;
  return {
    declare: 't record; item record;',
    findings: `select found.object, found.problem from ${tableQuery(layout)} cross join lateral (
  select ${literal(`table ${table}`)} as object, 'missing' as problem where t.oid is null
  union all select format('column %I of %s', name, t.name), 'missing'
    from ${missing([id, status, data, touched])}
  union all select 'primary key of ' || t.name, 'missing' where t.oid is not null and not ${hasKey('t.oid', id)}
  union all select format('column %I of %s', ${literal(version)}, t.name), 'missing or different'
    where t.oid is not null and not ${hasVersion}
  ${oldFindings(layout)}
  ${layout.notify ? functionFindings(notifyOid, literal(notify), notifyBody(layout)) : ''}
  ${triggerFindings(layout, notifyOid)}) found`,
    up: `
  create table if not exists ${table} (
    ${identifier(id)} text primary key,
    ${identifier(status)} text not null default 'active' check (${identifier(status)} in ('active', 'stopped')),
    ${identifier(data)} jsonb not null default '{}'
  );
  select * into t from ${tableQuery(layout)};
  for item in select name from ${missing([id, status, data])} loop
    raise undefined_column using message = format('hydrant: column %I of %s is lost, and so are its values', item.name, t.name);
  end loop;
  ${dropOld(layout)}
  if not ${hasKey('t.oid', id)} then alter table ${table} add primary key (${identifier(id)}); end if;
  alter table ${table} add column if not exists ${identifier(touched)} bigint not null default 0;
  if not ${hasVersion} then
    alter table ${table} drop column if exists ${identifier(version)};
    alter table ${table} add column ${identifier(version)} ${generated};
    comment on column ${table}.${identifier(version)} is ${literal(mark)};
  end if;
  ${layout.notify ? `${dropStranger(notifyOid, literal(notify))}
  ${notifyFunction(notify, layout)};\n  revoke execute on function ${notify}() from public;` : ''}
  ${makeTriggers(layout, literal(notify))}
  ${layout.notify ? '' : `drop function if exists ${notify}();`}`,
    down: `
  select * into t from ${tableQuery(layout)};
  drop table if exists ${table};
  ${dropOld({ ...layout, mapped: true })}`,
  };
}

/**
 * Half of a SHA-256. Generated columns accept nothing that depends on a setting, which PostgreSQL says of every cast of text
 * to bytes but this one.
 */
function hashOf(id = '', status = '', touched = '', data = ''): string {
  const contents = `${status} || ' ' || ${touched}::text || ' ' || ${data}::text || ' ' || ${id}`;
  return `left(encode(sha256(decode(replace(${contents}, '\\', '\\\\'), 'escape')), 'hex'), 32)`;
}
