import type { PostgresStore } from 'hydrant/postgres';
import type { StoreUnderTest } from 'hydrant/testing';

interface Data { readonly config: { readonly value: string } }

/** A store on its own table, which has a column `noted` for what others write into it. */
export function ownTableUnderTest(
  store: PostgresStore<Data>,
  query: (text: string, values: unknown[]) => Promise<unknown>,
): StoreUnderTest {
  return {
    store,
    write: (id, { status, config }) => store.put({ id, status, config: { value: config } }),
    remove: (id) => store.delete(id),
    configOf: (record) => (record as unknown as Data).config.value,
    writeInvalid: (id) =>
      query(
        `insert into hydrant_connections (id, data) values ($1, '["secret"]') on conflict (id) do update
          set data = excluded.data`,
        [id],
      ),
    bookkeep: (id) => query('update hydrant_connections set noted = now() where id = $1', [id]),
    touch: (id) => store.touch(id),
  };
}
