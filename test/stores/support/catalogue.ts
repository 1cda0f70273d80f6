import type { PGlite } from '@electric-sql/pglite';

/** The objects of a database, by which a test sees what a migration created, changed or left. */
export function catalogueOf(db: () => PGlite) {
  const values = async (query: string): Promise<unknown[]> =>
    (await db().query<{ value: unknown }>(query)).rows.map(({ value }) => value);

  /** All named objects, with the row version of their catalogue entry, which changes if an object is created anew. */
  const objects = () =>
    values(`
  select name || ' ' || made as value from (
    select 'relation ' || relname as name, xmin::text as made from pg_class where relnamespace = 'public'::regnamespace
    union all select 'column ' || attrelid::regclass || '.' || attname || ' ' || format_type(atttypid, 0)
      || ' ' || attnotnull, xmin::text
      from pg_attribute where attrelid in (
        select oid from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
      ) and attnum > 0 and not attisdropped
    union all select 'function ' || proname, xmin::text from pg_proc where pronamespace = 'public'::regnamespace
    union all select 'trigger ' || tgname, xmin::text from pg_trigger where not tgisinternal) everything order by 1`);
  const names = async () => (await objects()).map((object) => String(object).replace(/ \d+$/, ''));
  /** The same, with the schemas that are not PostgreSQL's own. */
  const everything = async () => [
    ...(await names()),
    ...(await values(`select nspname as value from pg_namespace where nspname !~ '^pg_' order by 1`)),
  ];
  const triggers = async () => (await names()).filter((name) => name.startsWith('trigger ')).map((name) => name.slice(8));
  return { values, objects, names, everything, triggers };
}

/** A row of the result of `migrate()` and `check()`. */
export const finding = (object: string, problem = 'missing') => ({ object, problem });
