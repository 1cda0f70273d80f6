import { types, type PGlite } from '@electric-sql/pglite';
import { isConnectionError } from 'hydrant';
import { PostgresStore, type PostgresClient, type PostgresStoreOptions } from 'hydrant/postgres';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { emptyPglite, startPglite } from './support/pglite.js';
import { REFUSED_BY_POSTGRES } from './support/refused-drafts.js';

let db: PGlite;
const sent: string[] = [];
const client: PostgresClient = {
  query(text, values) {
    sent.push(text);
    return db.query(text, values);
  },
};
beforeAll(async () => { await startPglite(); }, 60_000);
beforeEach(async () => { db = await emptyPglite(); });

/** A store whose table is there, and of which nothing has been asked yet. */
async function migrated<D extends object>(options: Omit<PostgresStoreOptions<D>, 'client'> = {}): Promise<PostgresStore<D>> {
  const store = new PostgresStore<D>({ client, ...options });
  await store.migrate();
  sent.length = 0;
  return store;
}

const refusal = (code: string) =>
  expect.toSatisfy((error) => isConnectionError(error) && error.code === code && !error.message.includes('secret'));

describe('PostgresStore on its own table', () => {
  interface Own { readonly token: string; readonly list?: readonly number[] }

  test('keeps every field as it was, is active by default, and accepts its own records', async () => {
    const store = await migrated<Own>();
    const written = await store.put({ id: 'acme', token: '"\\\n🙂 \\u0000', list: [1, 2.5] });
    expect(written).toEqual({
      id: 'acme',
      token: '"\\\n🙂 \\u0000',
      list: [1, 2.5],
      status: 'active',
      version: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    });
    expect(await store.get('acme')).toEqual(written);
    expect(await store.put(written)).toEqual(written);
    const stopped = await store.put({ ...written, status: 'stopped' });
    expect(stopped).toEqual({ ...written, status: 'stopped', version: stopped.version });
    expect(stopped.version).not.toBe(written.version);
  });

  test('reads many rows or versions with one query each, and returns only the requested ids', async () => {
    const store = await migrated<Own>();
    const [a, b] = [await store.put({ id: 'a', token: '1' }), await store.put({ id: 'b', token: '2' })];
    await store.put({ id: 'c', token: '3' });
    sent.length = 0;
    expect(await store.getMany(['a', 'x', 'b', 'nul\0', ''])).toEqual(new Map([['a', a], ['b', b]]));
    expect(await store.getVersions(['b', 'x', 'a'])).toEqual(new Map([['a', a.version], ['b', b.version]]));
    expect(sent).toHaveLength(2);
  });

  test('lists all by id, without invalid rows', async () => {
    const store = await migrated<Own>();
    for (const id of ['b', 'c', 'a']) await store.put({ id, token: id });
    await db.query(`update hydrant_connections set data = '["secret"]' where id = 'b'`);
    expect((await store.list()).map(({ id }) => id)).toEqual(['a', 'c']);
  });

  test.each(['["secret"]', '"secret"', '7', 'null'])(
    'a row that holds %s is INVALID_RECORD, and the error does not contain it',
    async (data) => {
      const store = await migrated<Own>();
      await db.query(`insert into hydrant_connections (id, data) values ('bad', $1::text::jsonb)`, [data]);
      await expect(store.get('bad')).rejects.toEqual(refusal('INVALID_RECORD'));
      await expect(store.get('bad')).rejects.toMatchObject({
        connectionId: 'bad',
        cause: new TypeError('expected a JSON object in data'),
      });
    },
  );

  test('deletes and touches existing rows', async () => {
    const store = await migrated<Own>();
    const { version } = await store.put({ id: 'acme', token: 't' });
    expect({ acme: await store.touch('acme'), other: await store.touch('other') }).toEqual({ acme: true, other: false });
    expect((await store.get('acme'))?.version).not.toBe(version);
    await store.delete('other');
    expect(await store.get('acme')).toMatchObject({ token: 't' });
    await store.delete('acme');
    expect(await store.get('acme')).toBeUndefined();
  });

  test('sends no query if no id can exist, or no caller waits for the answer', async () => {
    const store = await migrated<Own>();
    expect(await store.get('')).toBeUndefined();
    expect((await store.getMany([])).size).toBe(0);
    expect(await store.touch('nul\0')).toBe(false);
    await store.delete('nul\0');
    await expect(store.get('acme', { signal: AbortSignal.abort('gone') })).rejects.toBe('gone');
    await expect(store.getVersions(['acme'], { signal: AbortSignal.abort('gone') })).rejects.toBe('gone');
    expect(sent).toEqual([]);
    for (const options of [{ signal: new AbortController().signal }, {}])
      expect(await store.get('acme', options)).toBeUndefined();
  });

  test.each(REFUSED_BY_POSTGRES)('refuses $what with a clear error and writes nothing', async ({ draft, code }) => {
    const store = await migrated<Own>();
    await expect(store.put(draft as never)).rejects.toEqual(refusal(code));
    await expect(store.put(draft as never)).rejects.toThrow(/^PostgresStore: .*expected \w+/);
    expect(sent).toEqual([]);
  });

  test('a driver that serialises values for a jsonb column does not serialise twice', async () => {
    const store = new PostgresStore<Own>({
      client: {
        query: (text, values) => db.query(text, values, { serializers: { [types.JSONB]: (value) => JSON.stringify(value) } }),
      },
    });
    await store.migrate();
    expect(await store.put({ id: 'acme', token: 't' })).toMatchObject({ token: 't' });
  });

  test('the error for a draft that cannot be written names its connection and the reason', async () => {
    const store = await migrated<Own>();
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    await expect(store.put({ id: 'acme', token: circular as never })).rejects.toMatchObject({
      connectionId: 'acme',
      cause: expect.any(TypeError) as Error,
    });
    await expect(store.put({ id: 'acme', token: '\0' })).rejects.toSatisfy(
      (error) => isConnectionError(error) && error.connectionId === 'acme' && !('cause' in error),
    );
  });

  test('a record can set neither its version nor a prototype', async () => {
    const store = await migrated<Own>();
    const record = await store.put({
      id: 'acme',
      ...(JSON.parse('{"version":"7","token":"t","__proto__":{"polluted":true}}') as Own),
    });
    expect(record.version).not.toBe('7');
    expect(Object.getPrototypeOf(record)).toBe(Object.prototype);
    const { rows } = await db.query('select data from hydrant_connections');
    expect(rows).toEqual([{ data: JSON.parse('{"token":"t","__proto__":{"polluted":true}}') as object }]);
  });
});
