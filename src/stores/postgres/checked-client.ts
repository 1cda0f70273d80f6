import { describe, isFunction, isObject, unexpected } from '../../checks.js';
import type { PostgresClient } from './client.js';

/**
 * Objects of libraries that look like a client and are none: they resolve to something else, or take other arguments. Each
 * is recognized by members that only it has.
 */
const LIBRARIES: readonly { readonly name: string; readonly members: readonly string[]; readonly adapter: string }[] = [
  { name: 'postgres.js', members: ['unsafe', 'listen'], adapter: 'postgresJsClient(sql)' },
  { name: 'Drizzle', members: ['$client', 'execute'], adapter: 'drizzleClient(db)' },
  { name: 'Prisma', members: ['$queryRawUnsafe'], adapter: 'prismaClient(prisma)' },
  { name: 'Kysely', members: ['executeQuery', 'selectFrom'], adapter: 'kyselyClient(db)' },
  { name: 'Knex', members: ['raw', 'schema'], adapter: 'knexClient(knex)' },
  { name: 'TypeORM', members: ['createQueryRunner', 'query'], adapter: 'typeormClient(dataSource)' },
  { name: 'Sequelize', members: ['authenticate', 'query'], adapter: 'sequelizeClient(sequelize)' },
  { name: 'pg-promise', members: ['oneOrNone', 'query'], adapter: 'pgPromiseClient(db)' },
];

/**
 * Refuses an object that is not a client when the store is constructed, not at the first query.
 *
 * @throws ConnectionError `INVALID_OPTIONS`
 */
export function checkedClient(owner: string, client: unknown): PostgresClient {
  const expected = 'an object with query(text, values)';
  if (!isObject(client) && !isFunction(client)) throw unexpected(`${owner}: client`, expected, describe(client));
  const given = client as object;
  const library = LIBRARIES.find(({ members }) => members.every((member) => member in given));
  if (library !== undefined) {
    throw unexpected(`${owner}: client`, expected, `an object of ${library.name}: pass ${library.adapter}`);
  }
  if (!isFunction((client as { query?: unknown }).query)) throw unexpected(`${owner}: client`, expected, describe(client));
  return client as PostgresClient;
}
