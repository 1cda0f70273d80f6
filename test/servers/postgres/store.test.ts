import { isConnectionError } from 'hydrant';
import { PostgresStore, type PostgresClient } from 'hydrant/postgres';
import { beforeEach, describe, expect, test } from 'vitest';
import { databaseForTests } from '../support/databases.js';
import { GATEWAY_MAPPING, GATEWAY_TABLE, type GatewayConnection } from '../support/gateway-table.js';
import { REFUSED_BY_POSTGRES } from '../../stores/support/refused-drafts.js';

const database = databaseForTests();
const { pool } = database;
const sent: { text: unknown; values: unknown[] | undefined }[] = [];
/** The pool, with a record of its queries. */
const client: PostgresClient = {
  query(text, values) {
    sent.push({ text, values });
    return pool.query(text, values);
  },
};

beforeEach(async () => {
  await pool.query(`drop schema public cascade; create schema public; ${GATEWAY_TABLE}`);
  sent.length = 0;
});

async function own<D extends object = Record<string, unknown>>(): Promise<PostgresStore<D>> {
  const store = new PostgresStore<D>({ client });
  await store.migrate();
  sent.length = 0;
  return store;
}
async function mapped(options: object = {}): Promise<PostgresStore<GatewayConnection>> {
  const store = new PostgresStore<GatewayConnection>({ client, ...GATEWAY_MAPPING, ...options });
  await store.migrate();
  sent.length = 0;
  return store;
}
const draft = { organizationId: 'o1', platform: 'slack', config: { value: 'secret' } };

describe('PostgresStore queries', () => {
  test('are one for a row, for many or for versions, and none if no id can exist', async () => {
    const store = await own();
    await store.put({ id: 'a' });
    sent.length = 0;
    await store.get('a');
    await store.getMany(['a', 'b', 'nul\0', 'c']);
    await store.getVersions(['a', 'b']);
    expect(sent).toHaveLength(3);
    expect(sent[1]?.values).toEqual(['["a","b","c"]']);
    await store.get('nul\0');
    await store.getMany([]);
    expect(sent).toHaveLength(3);
  });

  test('are plain text with values, never prepared by name', async () => {
    const store = await own();
    await store.put({ id: 'a' });
    await store.get('a');
    await store.touch('a');
    await store.list();
    await store.delete('a');
    for (const { text } of sent) expect(text).toBeTypeOf('string');
  });

  test('are not sent when the signal has aborted already', async () => {
    const store = await own();
    await expect(store.get('a', { signal: AbortSignal.abort('gone') })).rejects.toBe('gone');
    expect(sent).toHaveLength(0);
  });

  test('find rows by the index', async () => {
    const store = await mapped();
    await pool.query(
      `insert into chat_connections (id, config) select 'c' || n, '{}' from generate_series(1, 5000) n; analyze chat_connections`,
    );
    await store.getVersions(['c1', 'c2']);
    const { text, values } = sent.at(-1) ?? {};
    const { rows } = await pool.query(`explain ${String(text)}`, values);
    expect(JSON.stringify(rows)).toContain('Index Scan');
  });
});

describe('PostgresStore on its own table', () => {
  test('keeps every field of a record as it was, and adds none of its own', async () => {
    const store = await own<{ organizationId: string; config: { list: number[]; nested: { null: null; text: string } } }>();
    const record = {
      id: 'acme',
      organizationId: 'ö',
      config: { list: [1, 2.5], nested: { null: null, text: '"\\\n🙂 \\u0000' } },
    };
    const written = await store.put(record);
    expect(written).toEqual({ ...record, status: 'active', version: expect.stringMatching(/^[0-9a-f]{32}$/) as string });
    expect(await store.get('acme')).toEqual(written);
    expect(await store.list()).toEqual([written]);
    expect(await store.put(written), 'a record that was read can be put back').toEqual(written);
  });

  test('a record cannot set its version or prototype', async () => {
    const store = await own();
    const record = await store.put({ id: 'acme', ...JSON.parse('{"version":"7","__proto__":{"polluted":true}}') as object });
    expect(record.version).not.toBe('7');
    expect(Object.getPrototypeOf(record)).toBe(Object.prototype);
    expect((record as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test.each(REFUSED_BY_POSTGRES)('refuses $what with a clear error and writes nothing', async ({ draft: refused, code }) => {
    const store = await own();
    await expect(store.put(refused as never)).rejects.toSatisfy(
      (error) => isConnectionError(error) && error.code === code && !error.message.includes('secret'),
    );
    expect(sent).toHaveLength(0);
  });

  test('reads with a driver that parses nothing', async () => {
    const raw: PostgresClient = {
      query: (text, values) =>
        pool.query({ text, values, types: { getTypeParser: () => (value: unknown) => value } } as never) as never,
    };
    const store = new PostgresStore<{ n: number }>({ client: raw });
    await store.migrate();
    await store.put({ id: 'a', n: 1 });
    expect((await store.getMany(['a'])).get('a')).toMatchObject({ id: 'a', n: 1 });
  });
});

describe('PostgresStore mapped onto a table that exists', () => {
  test('deletes softly, and a put revives the row', async () => {
    const store = await mapped();
    const first = await store.put({ id: 'acme', ...draft });
    await store.delete('acme');
    expect(await store.get('acme')).toBeUndefined();
    expect(await store.list()).toEqual([]);
    expect(await store.touch('acme')).toBe(false);
    expect((await pool.query('select count(*)::int n from chat_connections')).rows).toEqual([{ n: 1 }]);
    const second = await store.put({ id: 'acme', ...draft });
    expect(second).toEqual(first);
  });

  test('never deletes a row if it was not told how rows are deleted', async () => {
    const store = await mapped({ softDelete: undefined });
    await store.put({ id: 'acme', ...draft });
    await expect(store.delete('acme')).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    expect(await store.get('acme')).toBeDefined();
  });

  test('reports an error when where hides the row that it wrote', async () => {
    const store = await mapped({ toRow: ({ config }: GatewayConnection) => ({ config, deleted_at: new Date() }) });
    await expect(store.put({ id: 'acme', ...draft })).rejects.toMatchObject({ code: 'INVALID_OPTIONS', connectionId: 'acme' });
  });

  test('needs toRow for put, and for nothing else', async () => {
    const store = await mapped({ toRow: undefined });
    await pool.query(`insert into chat_connections (id, config) values ('acme', '{"value":"v"}')`);
    await expect(store.put({ id: 'acme', ...draft })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    expect(await store.get('acme')).toMatchObject({ config: { value: 'v' } });
    expect(await store.touch('acme')).toBe(true);
  });

  test('works with an id that is unique only among the rows that are not deleted', async () => {
    await pool.query(
      `alter table chat_connections drop constraint chat_connections_pkey;
        create unique index on chat_connections (id) where deleted_at is null`,
    );
    const store = await mapped();
    await store.put({ id: 'acme', ...draft });
    await store.delete('acme');
    await store.put({ id: 'acme', ...draft });
    await store.put({ id: 'acme', ...draft, platform: 'telegram' });
    expect((await pool.query('select deleted_at is null alive from chat_connections order by 1')).rows).toEqual([
      { alive: false },
      { alive: true },
    ]);
    expect(await store.get('acme')).toMatchObject({ platform: 'telegram' });
  });

  test('the error for a row on which mapRow throws contains nothing of the row', async () => {
    const store = await mapped();
    await pool.query(`insert into chat_connections (id, config) values ('bad', '{"token":"secret"}'), ('good', '{"value":"v"}')`);
    await expect(store.get('bad')).rejects.toSatisfy(
      (error) =>
        isConnectionError(error, 'INVALID_RECORD')
        && error.connectionId === 'bad'
        && !error.message.includes('secret')
        && error.cause instanceof TypeError,
    );
    expect((await store.list()).map(({ id }) => id)).toEqual(['good']);
  });

  test('an id that does not fit the type of the column is unknown, not an error', async () => {
    await pool.query(`create table u (id uuid primary key, c text); create table b (id bigint primary key, c text)`);
    const options = {
      client,
      columns: { config: ['c'] },
      stopped: 'false',
      mapRow: ({ c }: Readonly<Record<string, unknown>>) => ({ c: c as string }),
      toRow: ({ c }: { c: string }) => ({ c }),
    } as const;
    const uuids = new PostgresStore<{ c: string }>({ ...options, table: 'u', idType: 'uuid' });
    const numbers = new PostgresStore<{ c: string }>({ ...options, table: 'b', idType: 'bigint' });
    await uuids.migrate();
    await numbers.migrate();
    const uuid = 'aaaaaaaa-0000-4000-8000-000000000001';
    await uuids.put({ id: uuid, c: 'u' });
    await numbers.put({ id: '9223372036854775807', c: 'n' });
    const odd = [
      '',
      'x',
      uuid.toUpperCase(),
      `{${uuid}}`,
      '1 ',
      '+1',
      '01',
      '1.0',
      '1e3',
      '9223372036854775808',
      '99999999999999999999',
      "'; drop table u; --",
    ];
    expect([...(await uuids.getMany([...odd, uuid])).keys()]).toEqual([uuid]);
    expect([...(await numbers.getMany([...odd, '9223372036854775807', '-5'])).keys()]).toEqual(['9223372036854775807']);
    await expect(uuids.put({ id: 'x', c: 'u' })).rejects.toMatchObject({ code: 'INVALID_CONNECTION_ID' });
  });

  test('a collation that ignores case does not make two ids one', async () => {
    await pool.query(
      `create collation ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        create table n (id text collate ci primary key, c text)`,
    );
    const store = new PostgresStore<{ c: string }>({
      client,
      table: 'n',
      columns: { config: ['c'] },
      stopped: 'false',
      mapRow: ({ c }) => ({ c: c as string }),
    });
    await store.migrate();
    await pool.query(`insert into n values ('Acme', 'x')`);
    expect(await store.get('Acme')).toBeDefined();
    expect(await store.get('ACME')).toBeUndefined();
    expect((await store.getVersions(['acme'])).size).toBe(0);
  });
});
