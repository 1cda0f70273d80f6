import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { drizzleClient, PostgresClaims, postgresJsListenClient, PostgresStore, type PostgresClient } from 'hydrant/postgres';
import { ManualClock, settle } from 'hydrant/testing';
import { describe, expect, test } from 'vitest';

const answers = async (): Promise<readonly unknown[]> => [];

describe('a client of PostgreSQL', () => {
  test('needs an adapter of at most 15 lines, which imports no library', () => {
    const source = readFileSync(new URL('../../src/stores/postgres/clients.ts', import.meta.url), 'utf8');
    const adapters = [...source.matchAll(/^export function (\w+)[^]*?^\}/gm)].map(([code, name]) => ({ name, code }));
    expect(adapters).toHaveLength(9);
    expect(adapters.filter(({ code }) => code.split('\n').length > 15).map(({ name }) => name)).toEqual([]);
    expect([...source.matchAll(/from '(.*)'/g)].map(([, module]) => module)).toEqual(['./client.js']);
  });

  test.each<{ name: string; client: object; adapter: string }>([
    {
      name: 'postgres.js',
      client: Object.assign(() => {}, { unsafe: answers, listen: answers }),
      adapter: 'postgresJsClient(sql)',
    },
    { name: 'Drizzle', client: { $client: {}, execute: answers }, adapter: 'drizzleClient(db)' },
    { name: 'Prisma', client: { $queryRawUnsafe: answers }, adapter: 'prismaClient(prisma)' },
    { name: 'Kysely', client: { executeQuery: answers, selectFrom: answers }, adapter: 'kyselyClient(db)' },
    { name: 'Knex', client: Object.assign(() => {}, { raw: answers, schema: {} }), adapter: 'knexClient(knex)' },
    { name: 'TypeORM', client: { createQueryRunner: answers, query: answers }, adapter: 'typeormClient(dataSource)' },
    { name: 'Sequelize', client: { authenticate: answers, query: answers }, adapter: 'sequelizeClient(sequelize)' },
    { name: 'pg-promise', client: { oneOrNone: answers, query: answers }, adapter: 'pgPromiseClient(db)' },
  ])('must not be an object of $name, and the error names the adapter', ({ name, client, adapter }) => {
    const message = `client: expected an object with query(text, values), got an object of ${name}: pass ${adapter}`;
    expect(() => new PostgresStore({ client: client as PostgresClient })).toThrow(`PostgresStore: ${message}`);
    expect(() => new PostgresClaims({ client: client as PostgresClient })).toThrow(`PostgresClaims: ${message}`);
  });

  test.each([
    { client: undefined, got: 'nothing' },
    { client: null, got: 'null' },
    { client: {}, got: 'an object' },
    { client: { query: 'select' }, got: 'an object' },
    { client: 'postgres://secret', got: 'a string' },
  ])('is not $client', ({ client, got }) => {
    expect(() => new PostgresStore({ client: client as never })).toThrow(
      `PostgresStore: client: expected an object with query(text, values), got ${got}`,
    );
  });

  test('may resolve to rows, or to an object with rows, and to nothing else', async () => {
    const row = { 'hydrant:ids': '["acme"]', 'hydrant:versions': '["1"]' };
    for (const answer of [[row], { rows: [row] }]) {
      expect(await new PostgresStore({ client: { query: async () => answer } }).getVersions(['acme'])).toEqual(
        new Map([['acme', '1']]),
      );
    }
    for (const answer of [undefined, null, {}, { rows: 7 }]) {
      await expect(new PostgresStore({ client: { query: async () => answer as never } }).get('acme')).rejects.toThrow(
        'neither rows nor { rows }',
      );
    }
  });

  test('must not rename columns, or every connection would be unknown', async () => {
    const renaming = (row: object): PostgresClient => ({ query: async () => [row] });
    const renamed = new PostgresStore({ client: renaming({ 'Hydrant:ids': '["acme"]', 'Hydrant:id': 'acme' }) });
    const mapped = new PostgresStore({ client: renaming({ Facts: '{}' }), table: 'bots', mapRow: (row) => row });
    await expect(renamed.getVersions(['acme'])).rejects.toThrow('renamed the column "hydrant:ids"');
    await expect(renamed.get('acme')).rejects.toThrow('renamed the column "hydrant:id"');
    await expect(mapped.get('acme')).rejects.toThrow('renamed the column "facts"');
  });

  test('whose query misses its deadline is no longer awaited', async () => {
    const clock = new ManualClock();
    const store = new PostgresStore({ client: { query: () => new Promise(() => {}) }, queryTimeoutMs: 500, clock });
    const read = store.get('acme').catch((error: unknown) => error);
    await clock.advance(500);
    expect(await read).toMatchObject({ code: 'STORE_UNAVAILABLE', message: 'PostgreSQL did not answer within 500 ms' });
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('the driver of Drizzle', () => {
  const row = { 'hydrant:ids': '["acme"]', 'hydrant:versions': '["1"]' };

  test.each<{ name: string; client: Parameters<typeof drizzleClient>[0]['$client'] }>([
    { name: 'pg', client: { query: async () => ({ rows: [row] }) } },
    { name: 'postgres.js', client: Object.assign(() => {}, { unsafe: async () => [row] }) },
    {
      name: 'Neon over HTTP',
      client: Object.assign(() => {}, { query: async () => [row], unsafe: () => ({ sql: '' }) as never }),
    },
  ])('may be $name', async ({ client: $client }) => {
    const store = new PostgresStore({ client: drizzleClient({ $client }) });
    expect(await store.getVersions(['acme'])).toEqual(new Map([['acme', '1']]));
  });
});

describe('postgres.js, which listens again silently', () => {
  test('tells the end of the first subscription, and passes on each payload with its channel', async () => {
    const listening = new Map<string, { readonly payload: (text: string) => void; readonly again: () => void }>();
    let ended = false;
    const client = postgresJsListenClient({
      async listen(channel, payload, again) {
        listening.set(channel, { payload, again });
        again();
      },
      async end() { ended = true; },
    });
    const heard: unknown[] = [];
    client.on('notification', (message) => heard.push(message));
    client.on('end', () => heard.push('end'));
    client.on('error', () => heard.push('error'));
    await client.connect();
    await client.query('listen "hydrant_bots"; listen "odd ""name"');
    expect([...listening.keys()]).toEqual(['hydrant_bots', 'odd "name']);
    listening.get('hydrant_bots')?.payload('["a"]');
    expect(heard).toEqual([{ channel: 'hydrant_bots', payload: '["a"]' }]);
    listening.get('odd "name')?.again();
    expect(heard.slice(1)).toEqual(['end']);
    await client.end();
    expect(ended).toBe(true);
  });
});

describe('a write that PostgreSQL rolled back', () => {
  /** A client that refuses each statement with the next of these SQLSTATEs, and then writes. */
  const refusing = (states: readonly string[]) => {
    const left = [...states];
    const client = {
      sent: 0,
      async query() {
        client.sent += 1;
        const code = left.shift();
        if (code !== undefined) throw Object.assign(new Error(`refused: ${code}`), { code });
        return [{ 'hydrant:id': 'a' }];
      },
    };
    return client;
  };
  const touching = async (states: readonly string[]) => {
    const [client, clock] = [refusing(states), new ManualClock()];
    const outcome = new PostgresStore({ client, clock }).touch('a').catch((error: Error) => error.message);
    await clock.advance(1_000);
    return { outcome: await outcome, sent: client.sent };
  };

  test.each(['40P01', '40001'])('is retried after %s, at most twice', async (state) => {
    expect(await touching([state])).toEqual({ outcome: true, sent: 2 });
    expect(await touching([state, state])).toEqual({ outcome: true, sent: 3 });
    expect(await touching([state, state, state])).toEqual({ outcome: `refused: ${state}`, sent: 3 });
  });

  test('is not retried after another error', async () => {
    expect(await touching(['23505'])).toEqual({ outcome: 'refused: 23505', sent: 1 });
  });

  test('within a transaction of the caller fails with the first error', async () => {
    expect(await touching(['40P01', '25P02'])).toEqual({ outcome: 'refused: 40P01', sent: 2 });
  });
});

describe('a pool', () => {
  interface Released { readonly destroyed: boolean | undefined }

  /** Its connections answer, hang, or fail. */
  function pool(behaviour: () => Promise<readonly unknown[]>, idleCount = 0) {
    const released: Released[] = [];
    const emitters: EventEmitter[] = [];
    return {
      released, emitters, totalCount: 1, idleCount,
      query: answers,
      async connect() {
        const connection = Object.assign(new EventEmitter(), {
          query: behaviour,
          release: (destroyed?: boolean) => {
            released.push({ destroyed });
          },
        });
        emitters.push(connection);
        return connection;
      },
    };
  }

  test('gets its connection back after an answer, and after an error of SQL', async () => {
    const good = pool(async () => [{}]);
    await new PostgresStore({ client: good }).get('acme').catch(() => {});
    const refused = pool(async () => { throw Object.assign(new Error('no such table'), { code: '42P01' }); });
    await expect(new PostgresStore({ client: refused }).get('acme')).rejects.toThrow('no such table');
    for (const { released } of [good, refused]) expect(released).toEqual([{ destroyed: false }]);
    expect([...good.emitters, ...refused.emitters].map((emitter) => emitter.listenerCount('error'))).toEqual([0, 0]);
  });

  test.each([['EPIPE'], ['ECONNRESET'], ['57P01'], ['08006'], [undefined]])(
    'drops a connection that failed with %s, and survives its later events',
    async (code) => {
      const broken = pool(async () => {
        throw Object.assign(new Error('lost'), { code });
      });
      await expect(new PostgresStore({ client: broken }).get('acme')).rejects.toThrow('lost');
      expect(broken.released).toEqual([{ destroyed: true }]);
      broken.emitters[0]?.emit('error', new Error('lost'));
    },
  );

  test('drops a connection that hangs, and its idle ones, after a deadline or an abort', async () => {
    const clock = new ManualClock();
    const hanging = pool(() => new Promise(() => {}), 2);
    const read = new PostgresStore({ client: hanging, queryTimeoutMs: 500, clock }).get('acme').catch((error: unknown) => error);
    await settle();
    await clock.advance(500);
    expect(await read).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(hanging.released).toEqual([{ destroyed: true }, { destroyed: true }, { destroyed: true }]);
    const controller = new AbortController();
    const aborted = new PostgresStore({ client: pool(() => new Promise(() => {})), clock }).get('acme', {
      signal: controller.signal,
    });
    controller.abort('gone');
    await expect(aborted).rejects.toBe('gone');
    expect(clock.pendingTimers).toBe(0);
  });

  test('gets back a connection that came too late, unused', async () => {
    const clock = new ManualClock();
    const released: Released[] = [];
    let arrive: ((connection: object) => void) | undefined;
    const slow = {
      totalCount: 0,
      idleCount: 0,
      query: answers,
      connect: () =>
        new Promise<never>((resolve) => {
          arrive = resolve as never;
        }),
    };
    const read = new PostgresStore({ client: slow, queryTimeoutMs: 500, clock }).get('acme').catch((error: unknown) => error);
    await settle();
    await clock.advance(500);
    expect(await read).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    arrive?.({ query: () => { throw new Error('asked'); }, release: (destroyed?: boolean) => { released.push({ destroyed }); } });
    await settle();
    expect(released).toEqual([{ destroyed: undefined }]);
  });
});
