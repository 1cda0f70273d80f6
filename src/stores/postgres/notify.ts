import type { Layout } from './layout.js';
import { dollarQuoted, identifier, literal } from './quoting.js';

/** One statement-level trigger per event. A row-level one would cost a NOTIFY per row. `type` is `pg_trigger.tgtype`. */
export const NOTIFY_EVENTS = {
  insert: { type: 4, tables: 'referencing new table as after', old: null, new: 'after' },
  update: { type: 16, tables: 'referencing old table as before new table as after', old: 'before', new: 'after' },
  delete: { type: 8, tables: 'referencing old table as before', old: 'before', new: null },
  truncate: { type: 32, tables: '', old: null, new: null },
} as const;

/** A payload must be shorter than 8000 bytes (https://www.postgresql.org/docs/current/sql-notify.html). */
const MAX_PAYLOAD_BYTES = 7_900;

/**
 * The body of the function that sends hints: ids only, of rows whose version may have changed, in as many payloads as they
 * need. An empty payload says that anything may have changed.
 *
 * It runs with the rights of the role that writes, and never fails the write. If the options' conditions cannot be
 * evaluated here, it names every row of the statement. If the table has no such id any more, it sends an empty payload. A
 * queue of notifications that is half full is left alone, because a full one would refuse the commit. A hint that is not
 * sent costs time and no correctness.
 */
export function notifyBody(layout: Layout): string {
  const channel = literal(layout.channel);
  const id = `${identifier(layout.idColumn)}::text as id`;
  const alias = identifier(layout.tableName);
  const both = (columns: string): [string, string] => [
    `select ${columns} from after as ${alias}`,
    `select ${columns} from before as ${alias}`,
  ];
  const [after, before] = both(`${id}, ${stateOf(layout)} as state`);
  const [everyAfter, everyBefore] = both(id);
  const changed = `(${after} except ${before}) union all (${before} except ${after})`;
  const quoted = (ids: string): string => literal(`select distinct to_json(id)::text from (${ids}) changed where id is not null`);
  return `
declare
  changed text := case tg_op when 'INSERT' then ${quoted(everyAfter)} when 'DELETE' then ${quoted(everyBefore)}
    else ${quoted(changed)} end;
  item text;
  payload text := '';
begin
  if pg_notification_queue_usage() > 0.5 then return null; end if;
  if tg_op = 'TRUNCATE' then
    perform pg_notify(${channel}, '');
    return null;
  end if;
  for attempt in 1..2 loop
    begin
      for item in execute changed loop
        if octet_length(item) > ${MAX_PAYLOAD_BYTES} then
          perform pg_notify(${channel}, '');
        elsif octet_length(payload) + octet_length(item) > ${MAX_PAYLOAD_BYTES} then
          perform pg_notify(${channel}, '[' || payload || ']');
          payload := item;
        else
          payload := payload || case when payload = '' then '' else ',' end || item;
        end if;
      end loop;
      if payload <> '' then
        perform pg_notify(${channel}, '[' || payload || ']');
      end if;
      return null;
    exception when others then
      payload := '';
      changed := case tg_op when 'UPDATE' then ${quoted(`${everyAfter} union ${everyBefore}`)} else changed end;
    end;
  end loop;
  perform pg_notify(${channel}, '');
  return null;
exception when others then
  return null;
end `;
}

/** Text that differs when the version does. */
function stateOf({ mapped, versionColumn, stopped, visible, config, tableName }: Layout): string {
  if (!mapped) return `${identifier(versionColumn ?? 'version')}::text`;
  // The bare name would mean a column of that name, if there is one.
  const parts = versionColumn === undefined ? config ?? [`row(${identifier(tableName)}.*)`] : [identifier(versionColumn)];
  return `row(${[stopped, visible, ...parts].map((part) => `${part}::text`).join(', ')})::text`;
}

/** Defines the function. `name` is quoted already, and so is `body`. */
export const notifyFunction = (name: string, layout: Layout, body = dollarQuoted(notifyBody(layout))): string =>
  `create or replace function ${name}() returns trigger language plpgsql security invoker
    set search_path = pg_catalog, pg_temp as ${body}`;
