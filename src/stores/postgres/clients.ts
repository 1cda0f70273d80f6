import type { PostgresClient, PostgresListenClient } from './client.js';

/*
 * Adapters for libraries whose object is not a client as it is. Each knows its library by its shape. A `pg` Pool,
 * PGlite, Neon's Pool and Neon's `neon()` need none.
 */

type Rows = PromiseLike<readonly unknown[]>;

/** The part of a postgres.js pool that hydrant uses. */
export interface PostgresJsSql {
  unsafe(text: string, values?: any[]): PromiseLike<readonly unknown[]>;
}

/**
 * A client over postgres.js.
 *
 * @example
 * const client = postgresJsClient(postgres(url));
 */
export function postgresJsClient(sql: PostgresJsSql): PostgresClient {
  return { query: async (text, values) => await sql.unsafe(text, values) };
}

/** The part of postgres.js that LISTEN needs. */
export interface PostgresJsListener {
  listen(channel: string, onPayload: (payload: string) => void, onListening: () => void): PromiseLike<unknown>;
  end(options: { timeout: number }): Promise<unknown>;
}

/**
 * A connection for LISTEN over postgres.js. Give it an instance of its own, because it ends that instance. postgres.js
 * reconnects silently. The adapter then reports that the connection ended, so that the store subscribes again and checks
 * everything.
 *
 * @example
 * const store = new PostgresStore({
 *   client: postgresJsClient(sql),
 *   listenClient: () => postgresJsListenClient(postgres(url)),
 * });
 */
export function postgresJsListenClient(sql: PostgresJsListener): PostgresListenClient {
  const listeners = new Map<string, (message?: any) => void>();
  const listen = (channel: string, times = 0): PromiseLike<unknown> =>
    sql.listen(channel, (payload) => listeners.get('notification')?.({ channel, payload }), () => {
      if ((times += 1) > 1) listeners.get('end')?.();
    });
  return {
    connect: async () => {},
    async query(text) {
      for (const [, quoted = ''] of text.matchAll(/"((?:[^"]|"")+)"/g)) await listen(quoted.replaceAll('""', '"'));
    },
    end: () => sql.end({ timeout: 1 }),
    on: (event: string, listener: (message?: any) => void) => listeners.set(event, listener),
  };
}

/**
 * A client over Drizzle, whichever driver it was made with.
 *
 * @example
 * const client = drizzleClient(drizzle(url));
 */
export function drizzleClient({ $client: driver }: { readonly $client: PostgresClient | PostgresJsSql }): PostgresClient {
  // Neon's driver has a method called unsafe too, which sends nothing.
  return 'query' in driver ? driver : postgresJsClient(driver);
}

/**
 * A client over Prisma.
 *
 * @example
 * const client = prismaClient(new PrismaClient({ adapter }));
 */
export function prismaClient(prisma: { $queryRawUnsafe(text: string, ...values: any[]): PromiseLike<unknown> }): PostgresClient {
  return { query: async (text, values = []) => await (prisma.$queryRawUnsafe(text, ...values) as Rows) };
}

/** A statement as Kysely executes it. */
export interface KyselyStatement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  readonly query: { readonly kind: 'RawNode'; readonly sqlFragments: readonly string[]; readonly parameters: readonly [] };
  readonly queryId: { readonly queryId: string };
}

/** The part of a Kysely database that hydrant uses. */
export interface KyselyDatabase {
  withoutPlugins(): { executeQuery(statement: KyselyStatement): Promise<{ readonly rows: readonly unknown[] }> };
}

/**
 * A client over Kysely. Its plugins do not apply, because they may rename columns.
 *
 * @example
 * const client = kyselyClient(new Kysely<Database>({ dialect }));
 */
export function kyselyClient(db: KyselyDatabase): PostgresClient {
  const plain = db.withoutPlugins();
  return {
    query: (sql, parameters = []) => plain.executeQuery({
      sql, parameters, query: { kind: 'RawNode', sqlFragments: [sql], parameters: [] }, queryId: { queryId: 'hydrant' },
    }),
  };
}

/** The part of a Knex instance that hydrant uses. */
export interface KnexInstance {
  readonly client: { acquireConnection(): Promise<PostgresClient>; releaseConnection(connection: PostgresClient): unknown };
}

/**
 * A client over Knex with its driver `pg`.
 *
 * @example
 * const client = knexClient(knex({ client: 'pg', connection: url }));
 */
export function knexClient({ client }: KnexInstance): PostgresClient {
  return {
    async query(text, values) {
      const connection = await client.acquireConnection();
      try {
        return await connection.query(text, values);
      } finally {
        await client.releaseConnection(connection);
      }
    },
  };
}

/** The part of a TypeORM data source that hydrant uses. */
export interface TypeormDataSource {
  createQueryRunner(): {
    query(text: string, values: any[] | undefined, structured: true): Promise<{ records: unknown[] }>;
    release(): Promise<unknown>;
  };
}

/**
 * A client over TypeORM. Initialize the data source first.
 *
 * @example
 * const client = typeormClient(await new DataSource({ type: 'postgres', url }).initialize());
 */
export function typeormClient(dataSource: TypeormDataSource): PostgresClient {
  return {
    async query(text, values) {
      const runner = dataSource.createQueryRunner();
      try {
        return (await runner.query(text, values, true)).records;
      } finally {
        await runner.release();
      }
    },
  };
}

/**
 * A client over Sequelize.
 *
 * @example
 * const client = sequelizeClient(new Sequelize(url));
 */
export function sequelizeClient(sequelize: { query(text: string, options: object): Promise<unknown> }): PostgresClient {
  return {
    async query(text, values = []) {
      const bind = values.length > 0 ? { bind: values } : {};
      return await (sequelize.query(text, { type: 'SELECT', raw: true, ...bind }) as Rows);
    },
  };
}

/**
 * A client over pg-promise.
 *
 * @example
 * const client = pgPromiseClient(pgPromise()(url));
 */
export function pgPromiseClient(db: { result(query: any): Promise<{ readonly rows: readonly unknown[] }> }): PostgresClient {
  return { query: (text, values = []) => db.result({ text, values }) };
}
