import { ConnectionError } from '../../errors.js';
import type { Layout } from './layout.js';
import { literal } from './quoting.js';

/** Facts about a mapped table that only the database knows. */
export interface TableFacts {
  /** SQL that turns the text of an id into the column's type. `undefined`: ids are compared as text. */
  readonly idType: string | undefined;
  /** The form an id must have. Others cannot exist, and would fail the query of those that can. */
  readonly idForm: 'text' | 'uuid' | 'integer';
  /** All columns of the table, in their order. */
  readonly columns: readonly string[];
  /** Columns of types without a binary form. */
  readonly textOnly: readonly string[];
  /** Begins the names of hydrant's own objects for this table. */
  readonly base: string;
  /** The quoted table of touches; `undefined` where there is none that this role may read. */
  readonly touches: string | undefined;
  /** Whether a row's place and writer identify its contents, as in PostgreSQL's own tables. */
  readonly identified: boolean;
}

/**
 * A `from` list that finds the table as `t`. `t.base` names hydrant's own objects for it, and is cut to what PostgreSQL
 * keeps. It leaves room for a suffix of eight bytes.
 */
export function tableQuery({ table, schema, tableName }: Layout): string {
  const where = schema === undefined ? 'current_schema()' : literal(schema);
  const whole = `concat_ws('.', coalesce(n.nspname, ${where}), ${literal(tableName)})`;
  return `(select c.oid, c.relkind, c.relam, c.relacl, c.relowner, c.relnamespace,
    case when c.oid is not null then format('%I.%I', n.nspname, c.relname) end as name,
    case when octet_length(${whole}) <= 55 then ${whole}
      else left(${literal(tableName)}, 9) || '_' || left(encode(sha256(convert_to(${whole}, 'UTF8')), 'hex'), 16) end as base
  from (select to_regclass(${literal(table)})::oid as oid) given
    left join pg_class c on c.oid = given.oid left join pg_namespace n on n.oid = c.relnamespace) t`;
}

/** Finds hydrant's table of touches, if it is as it should be, as `v`, without a right to its schema: `to_regclass` would need one. */
export const touchesJoin = ({ objects }: Layout): string => `left join lateral (
  select c.oid, c.relacl, c.relowner, format('%I.%I', n.nspname, c.relname) as name, n.nspacl, n.nspowner,
    has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') as readable
  from pg_namespace n join pg_class c on c.relnamespace = n.oid
  where n.nspname = ${literal(objects)} and c.relname = t.base and c.relkind = 'r' and exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary)
    and 2 = (select count(*) from pg_attribute a where a.attrelid = c.oid and not a.attisdropped
      and (a.attname, a.atttypid) in (('id', 'text'::regtype), ('version', 'int8'::regtype)))) v on true`;

const READ_FACTS = (layout: Layout): string => `
with recursive table_ as (select t.*, v.name as touches, v.readable from ${tableQuery(layout)} ${touchesJoin(layout)}),
id_type as (
  select y.oid, y.typbasetype, y.typname, y.typcategory, n.nspname
  from table_ t join pg_attribute a on a.attrelid = t.oid and a.attname = ${literal(layout.idColumn)} and a.attnum > 0 and not a.attisdropped
    join pg_type y on y.oid = a.atttypid join pg_namespace n on n.oid = y.typnamespace
  union all
  select y.oid, y.typbasetype, y.typname, y.typcategory, n.nspname
  from id_type d join pg_type y on y.oid = d.typbasetype join pg_namespace n on n.oid = y.typnamespace
)
select json_build_object(
  'table', t.name,
  'base', t.base,
  'touches', case when t.readable then t.touches end,
  'identified', t.relkind = 'p' or exists (select from pg_am m where m.oid = t.relam and m.amname = 'heap'),
  'id', (select json_build_object('name', typname, 'quoted', format('%I.%I', nspname, typname), 'category', typcategory)
    from id_type where typbasetype = 0),
  'columns', (select json_agg(attname order by attnum) from pg_attribute a where a.attrelid = t.oid and attnum > 0 and not attisdropped),
  'textOnly', (select json_agg(attname) from pg_attribute a join pg_type y on y.oid = a.atttypid
    where a.attrelid = t.oid and attnum > 0 and not attisdropped and y.typsend = 0)
)::text as facts from table_ t`;

interface RawFacts {
  readonly table: string | null;
  readonly base: string;
  readonly touches: string | null;
  readonly identified: boolean;
  readonly id: { readonly name: string; readonly quoted: string; readonly category: string } | null;
  readonly columns: readonly string[] | null;
  readonly textOnly: readonly string[] | null;
}

/** The facts about the store's own table. */
export const OWN_FACTS: TableFacts = {
  idType: 'text', idForm: 'text', columns: [], textOnly: [], base: '', touches: undefined, identified: false,
};

/**
 * Reads the facts about a mapped table.
 *
 * @throws ConnectionError `INVALID_OPTIONS` when there is no such table or no such id column
 */
export async function readFacts(layout: Layout, query: (text: string) => Promise<readonly unknown[]>): Promise<TableFacts> {
  const [row] = await query(READ_FACTS(layout));
  const raw = JSON.parse((row as { facts: string }).facts) as RawFacts;
  if (raw.table === null) throw new ConnectionError('INVALID_OPTIONS', `PostgresStore: there is no table ${layout.table}`);
  if (raw.id === null)
    throw new ConnectionError('INVALID_OPTIONS', `PostgresStore: ${raw.table} has no column '${layout.idColumn}' (columns.id)`);
  return {
    ...idFacts(layout.idType ?? raw.id.name, raw.id),
    base: raw.base,
    columns: raw.columns ?? [],
    textOnly: raw.textOnly ?? [],
    touches: layout.versions === 'table' ? raw.touches ?? undefined : undefined,
    identified: raw.identified,
  };
}

function idFacts(
  type: string,
  { quoted, category }: { quoted: string; category: string },
): Pick<TableFacts, 'idType' | 'idForm'> {
  if (type === 'uuid') return { idType: 'uuid', idForm: 'uuid' };
  if (['int2', 'int4', 'int8', 'bigint'].includes(type)) return { idType: 'bigint', idForm: 'integer' };
  // A cast of text to a type of this category accepts everything. Other types (numeric, an enum) are compared as text.
  return { idType: type === 'text' ? 'text' : category === 'S' ? quoted : undefined, idForm: 'text' };
}
