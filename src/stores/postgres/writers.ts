import type { TableFacts } from './catalogue.js';
import type { Layout } from './layout.js';
import { identifier, literal } from './quoting.js';

/*
 * Which transaction wrote a row. PostgreSQL never changes a row: an edit leaves another one, with the number of its own
 * transaction (`xmin`). Of the rows that a transaction gave one id, others see at most the last. So id, writer, status and
 * touches identify what a row contains, at a tenth of the price of a hash. Two cases need more:
 *
 * - One statement may write two rows with one id, of which `where` shows one after the other. If ids are not unique, the
 *   writer includes the row's place (`ctid`), which the two do not share.
 * - A transaction may edit a row again between two reads of its own. See `sealOf`.
 *
 * Numbers repeat after 2^32 transactions. An edit could hide behind that only if nobody had read the row since, and if the
 * edit got the very number of the edit before.
 */

/** A JSON object: the touches of those that were touched, by id. */
export const TOUCHES = 'hydrant:touches';
/** See {@link sealOf}. */
export const SEAL = 'hydrant:seal';

/** Whether writers identify rows. An expression may depend on more than its row, so only its value tells. */
export const isIdentified = (layout: Layout, { identified }: TableFacts): boolean =>
  layout.versionColumn === undefined && identified && layout.plainConfig;

/** The writer of an active row of this table. Rows of a partition add its oid, and stopped rows their status. */
export function writerOf({ table, stopped }: Layout, { oid, unique }: TableFacts): string {
  const writer = unique ? `${table}.xmin::text` : `${table}.xmin::text || ${table}.ctid::text`;
  // Comparing costs less than writing text, and `||` less than concat(), which looks up the type of each part for every row.
  return `case when ${table}.tableoid = ${oid} and not ${stopped} then ${writer}
    else ${writer} || ' ' || ${table}.tableoid::text || case when ${stopped} then ' stopped' else '' end end`;
}

/** Whether a writer identifies nothing. Rows of a partition on another server have no transaction here, so its number is 0. */
export const isNobody = (writer: string): boolean => /^0\D/.test(writer);

/** In a subquery of its own, because few rows were touched, and a join would cost time for every row. */
export const touchesOf = ({ touches }: TableFacts): string => (touches === undefined ? '' : `,
  (select json_object_agg(v.id, v.version::text) from json_array_elements_text($1::text::json) asked(id)
    join ${touches} v on v.id = asked.id collate "C")::text as "${TOUCHES}"`);

/**
 * A text that changes when a writer may stand for something else: after a restart of the server, a change of the table's
 * columns, a renamed label of an enum, new places for all rows. Within a transaction that writes, it is another one each
 * time. It also changes when the table of touches appears; when that is lost, the query fails. Each part costs time in every
 * query, so a table has only the parts it needs.
 */
export function sealOf(layout: Layout, { base, oid, unique, enums, touches }: TableFacts, identified: boolean): string {
  const parts: string[] = [];
  if (layout.versions === 'table' && touches === undefined) {
    parts.push(`(select c.oid from pg_class c
      where c.relname = ${literal(base)} and c.relnamespace = to_regnamespace(${literal(identifier(layout.objects))})
        and has_schema_privilege(c.relnamespace, 'usage') and has_table_privilege(c.oid, 'select'))`);
  }
  if (identified) {
    parts.push(
      // Rows of this very table do not say so.
      literal(oid),
      'extract(epoch from pg_postmaster_start_time())',
      'case when pg_current_xact_id_if_assigned() is not null then clock_timestamp() end',
      `array(select a.xmin from pg_attribute a where a.attrelid = to_regclass(${literal(layout.table)}) order by a.attnum)`,
    );
    // VACUUM FULL and CLUSTER write a table anew, where rows may have each other's places.
    if (!unique)
      parts.push(`pg_relation_filenode(${oid}), array(select pg_relation_filenode(relid) from pg_partition_tree(${oid}))`);
    if (enums.length > 0)
      parts.push(`array(select e.xmin from pg_enum e where e.enumtypid in (${enums.join(', ')}) order by e.oid)`);
  }
  return parts.length === 0 ? '' : `, (select concat_ws(' ', ${parts.join(', ')})) as "${SEAL}"`;
}
