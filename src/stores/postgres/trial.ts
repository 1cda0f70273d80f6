import { ConnectionError } from '../../errors.js';
import { anyInside, sqlStateOf, type Database } from './database.js';
import type { Layout } from './layout.js';
import type { Queries } from './queries.js';
import { dollarQuoted, identifier, literal } from './quoting.js';

/** How long the trial waits for the lock of a read. Then it says nothing. */
const LOCK_TIMEOUT_MS = 1_000;

const ADVICE = `. Name its column in columns.status, or set stopped ('false': none is stopped)`;
const SAID = /hydrant: option (\S+): (.+)/s;

/**
 * Tries each option by a query that returns nothing, and the store's own read at last. PostgreSQL looks at names and types
 * before it looks at rights. So a role that may not read the table learns as much, and its transaction goes on.
 */
function trialOf(layout: Layout, { rows }: Queries): string {
  const { table, config = [], stopped, statusColumn, visible, versionColumn, idType } = layout;
  const select = (value: string): string => `select ${value} from ${table}`;
  const parts: [option: string, query: string][] = [
    ...config.map((part): [string, string] => ['columns.config', select(part)]),
    [statusColumn === undefined ? 'stopped' : 'columns.status', select(stopped)],
    ['where', `${select('1')} where ${visible}`],
    ...(versionColumn === undefined ? [] : [['versions.column', select(identifier(versionColumn))] as [string, string]]),
    [idType === undefined ? 'table' : 'idType', rows],
  ];
  return `do ${dollarQuoted(`
declare
  part record;
  lock_timeout_before text := current_setting('lock_timeout');
begin
  perform set_config('lock_timeout', '${LOCK_TIMEOUT_MS}', true);
  for part in select * from (values ${parts.map((part) => `(${part.map(literal).join(', ')})`).join(', ')})
    v(option, query) loop
    begin
      execute part.query || ' limit 0' using '[]'::text;
    exception when others then
      exit when sqlstate = '55P03';
      if sqlstate ~ '^(0A|22|3F|42)' and sqlstate <> '42501' then
        raise exception using errcode = sqlstate, message = concat('hydrant', ': option ', part.option, ': ', sqlerrm);
      end if;
    end;
  end loop;
  perform set_config('lock_timeout', lock_timeout_before, true);
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
    const [, option, problem] = anyInside(cause, ({ message }) => SAID.exec(String(message)) ?? undefined) ?? [];
    // No right to PL/pgSQL: the trial says nothing.
    if (option === undefined && sqlStateOf(cause) === '42501') return;
    if (option === undefined) throw cause;
    const advice = option === 'columns.status' ? ADVICE : '';
    throw new ConnectionError(
      'INVALID_OPTIONS', `PostgresStore: ${option} does not fit ${layout.table}: ${problem}${advice}`, { cause },
    );
  }
}
