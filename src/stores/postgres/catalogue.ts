import { ConnectionError } from '../../errors.js';
import { withColumn } from './database.js';
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
  /** The table's oid. */
  readonly oid: string;
  /** The oids of the enums that columns have, also as elements and through domains. */
  readonly enums: readonly string[];
  /** The beginning of the names of hydrant's own objects for this table. */
  readonly base: string;
  /** The quoted table of touches; `undefined` where there is none that this role may read. */
  readonly touches: string | undefined;
  /**
   * Whether the transaction that wrote a row identifies the row's contents. True for PostgreSQL's own kind of table. False if
   * a partition is of another kind, if a column is computed when it is read, or if parts of its type may change without a
   * write of the row.
   */
  readonly identified: boolean;
  /** Whether ids are unique among all rows, including those that `where` hides. */
  readonly unique: boolean;
}

/**
 * A `from` list that finds the table as `t`. `t.base` names hydrant's own objects for it, and is cut to what PostgreSQL
 * keeps. It leaves room for a suffix of eight bytes.
 */
export function tableQuery({ table, schema, tableName }: Layout): string {
  const where = schema === undefined ? 'current_schema()' : literal(schema);
  const whole = `concat_ws('.', coalesce(n.nspname, ${where}), ${literal(tableName)})`;
  return `(select c.oid, c.relkind, c.relam, c.relacl, c.relowner, c.relnamespace, c.relrowsecurity,
    case when c.oid is not null then format('%I.%I', n.nspname, c.relname) end as name,
    case when octet_length(${whole}) <= 55 then ${whole}
      else left(${literal(tableName)}, 9) || '_' || left(encode(sha256(convert_to(${whole}, 'UTF8')), 'hex'), 16) end as base
  from (select to_regclass(${literal(table)})::oid as oid) given
    left join pg_class c on c.oid = given.oid left join pg_namespace n on n.oid = c.relnamespace) t`;
}

/** Whether a row of the table may be found by this column alone, as an upsert needs it. */
export const hasKey = (oid: string, column: string): string => `exists (
  select from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
  where i.indrelid = ${oid} and a.attname = ${literal(column)} and i.indnkeyatts = 1
    and i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null)`;

/**
 * Finds hydrant's table of touches as `v`, if it is as it should be. It reads the catalogue, because `to_regclass` fails
 * without a right to the schema.
 */
export const touchesJoin = ({ objects }: Layout): string => `left join lateral (
  select c.oid, c.relacl, c.relowner, format('%I.%I', n.nspname, c.relname) as name, n.nspacl, n.nspowner,
    has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select') as readable
  from pg_namespace n join pg_class c on c.relnamespace = n.oid
  where n.nspname = ${literal(objects)} and c.relname = t.base and c.relkind = 'r'
    and ${hasKey('c.oid', 'id')}
    and 2 = (select count(*) from pg_attribute a where a.attrelid = c.oid and not a.attisdropped
      and (a.attname, a.atttypid) in (('id', 'text'::regtype), ('version', 'int8'::regtype)))) v on true`;

/** The first oid of user-defined objects. PostgreSQL's own types never change. */
const FIRST_OF_USERS = 16_384;

/** `unique`: tables that inherit have keys of their own, or none. */
const READ_FACTS = (layout: Layout): string => `
with recursive table_ as (select t.*, v.name as touches, v.readable from ${tableQuery(layout)} ${touchesJoin(layout)}),
column_ as (
  select a.attname, a.attnum, a.atttypid, a.attgenerated, y.typsend
  from table_ t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
    join pg_type y on y.oid = a.atttypid
),
id_type as (
  select y.oid, y.typbasetype, y.typname, y.typcategory, n.nspname
  from column_ a join pg_type y on y.oid = a.atttypid join pg_namespace n on n.oid = y.typnamespace
  where a.attname = ${literal(layout.idColumn)}
  union all
  select y.oid, y.typbasetype, y.typname, y.typcategory, n.nspname
  from id_type d join pg_type y on y.oid = d.typbasetype join pg_namespace n on n.oid = y.typnamespace
),
tree_ as (select oid from table_ union select i.inhrelid from tree_ t join pg_inherits i on i.inhparent = t.oid),
type_ as (
  select atttypid as oid from column_
  union
  select coalesce(nullif(y.typbasetype, 0), y.typelem) from type_ c join pg_type y on y.oid = c.oid
  where y.typbasetype <> 0 or y.typelem <> 0
)
select json_build_object(
  'table', t.name,
  'oid', t.oid::text,
  'base', t.base,
  'touches', case when t.readable then t.touches end,
  'unique', ${hasKey('t.oid', layout.idColumn)} and (t.relkind = 'p' or (select count(*) = 1 from tree_)),
  'identified', not exists (select from tree_ join pg_class c using (oid) left join pg_am m on m.oid = c.relam
      where c.relkind <> 'p' and coalesce(m.amname <> 'heap', true))
    and not exists (select from column_ where attgenerated = 'v' or typsend = 0)
    and not exists (select from type_ c join pg_type y on y.oid = c.oid
      where y.typtype = 'c' or y.typtype in ('r', 'm') and y.oid >= ${FIRST_OF_USERS}),
  'enums', (select json_agg(y.oid::text order by y.oid) from type_ c join pg_type y on y.oid = c.oid where y.typtype = 'e'),
  'id', (select json_build_object('name', typname, 'quoted', format('%I.%I', nspname, typname), 'category', typcategory)
    from id_type where typbasetype = 0),
  'columns', (select json_agg(attname order by attnum) from column_),
  'textOnly', (select json_agg(attname) from column_ where typsend = 0)
)::text as facts from table_ t`;

interface RawFacts {
  readonly table: string | null;
  readonly oid: string;
  readonly base: string;
  readonly touches: string | null;
  readonly identified: boolean;
  readonly unique: boolean;
  readonly enums: readonly string[] | null;
  readonly id: { readonly name: string; readonly quoted: string; readonly category: string } | null;
  readonly columns: readonly string[] | null;
  readonly textOnly: readonly string[] | null;
}

/** The facts about the store's own table. */
export const OWN_FACTS: TableFacts = {
  idType: 'text', idForm: 'text', columns: [], textOnly: [], oid: '', enums: [], base: '', touches: undefined,
  identified: false, unique: true,
};

/**
 * Reads the facts about a mapped table.
 *
 * @throws ConnectionError `INVALID_OPTIONS` when there is no such table or no such id column
 */
export async function readFacts(layout: Layout, query: (text: string) => Promise<readonly unknown[]>): Promise<TableFacts> {
  const [row] = await query(READ_FACTS(layout));
  const raw = JSON.parse(withColumn(row as { facts: string }, 'facts').facts) as RawFacts;
  if (raw.table === null) throw new ConnectionError('INVALID_OPTIONS', `PostgresStore: there is no table ${layout.table}`);
  if (raw.id === null)
    throw new ConnectionError('INVALID_OPTIONS', `PostgresStore: ${raw.table} has no column '${layout.idColumn}' (columns.id)`);
  return {
    ...idFacts(layout.idType ?? raw.id.name, raw.id),
    oid: raw.oid,
    enums: raw.enums ?? [],
    base: raw.base,
    columns: raw.columns ?? [],
    textOnly: raw.textOnly ?? [],
    touches: layout.versions === 'table' ? raw.touches ?? undefined : undefined,
    identified: raw.identified,
    unique: raw.unique,
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
