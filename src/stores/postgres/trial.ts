import { ConnectionError } from '../../errors.js';
import { sqlStateOf, type Database } from './database.js';
import type { Layout } from './layout.js';
import type { Queries } from './queries.js';
import { dollarQuoted, literal } from './quoting.js';

/**
 * Tries each option by a query that returns nothing, and the store's own read at last. PostgreSQL looks at names and types
 * before it looks at rights. So it says as much to a role that may not read the table, and that role's transaction goes on.
 * A lock that is held for longer says nothing. The last `raise` undoes the setting.
 */
function trialOf(layout: Layout, { rows }: Queries): string {
  const { table, config = [1], stopped, statusColumn, visible } = layout;
  const item = (option: string, query: string): string => `(${literal(option)}, ${literal(query)})`;
  const select = (value: string): string => `select ${value} from ${table}`;
  return `do ${dollarQuoted(`
declare item record;
begin
  for item in values ${[
    item('columns.config', select(config.join())),
    item(statusColumn === undefined ? 'stopped' : `columns.status (or stopped, such as 'false')`, select(stopped)),
    item('where', select(visible)),
    item('versions.column or idType', rows),
  ].join()} loop
    begin
      perform set_config('lock_timeout', '200', true);
      execute item.column2 || ' limit 0' using '[]'::text;
      raise lock_not_available;
    exception when others then
      if sqlstate ~ '^(0A|22|42(?!501))' then
        raise 'hydrant: % does not fit the table: %', item.column1, sqlerrm;
      end if;
    end;
  end loop;
end `)}`;
}

/**
 * Tries the options of a mapped table, and changes nothing.
 *
 * @throws ConnectionError `INVALID_OPTIONS`
 */
export async function tryOptions(layout: Layout, queries: Queries, database: Database): Promise<void> {
  try {
    await database.query(trialOf(layout, queries));
  } catch (cause) {
    // The error of the driver, or of an ORM around it.
    const said = /hydrant(: [^%].+)/.exec(`${String(cause)}\n${String((cause as Error).cause)}`);
    if (said) throw new ConnectionError('INVALID_OPTIONS', `PostgresStore${said[1]}`, { cause });
    // No right to PL/pgSQL.
    if (sqlStateOf(cause) !== '42501') throw cause;
  }
}
