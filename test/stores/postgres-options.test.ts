import { isConnectionError } from 'hydrant';
import { PostgresStore, type PostgresStoreOptions } from 'hydrant/postgres';
import { describe, expect, test } from 'vitest';

const client = { query: async () => ({ rows: [] }) };
const mapRow = (): object => ({});

describe('PostgresStore options', () => {
  test.each<{ option: string; options: unknown }>([
    { option: 'options', options: undefined },
    { option: 'options', options: null },
    { option: 'table', options: { client, table: '' } },
    { option: 'table', options: { client, table: 7 } },
    { option: 'table', options: { client, table: 'a.b.c' } },
    { option: 'table', options: { client, table: '.b' } },
    { option: 'table', options: { client, table: 'a\0b' } },
    { option: 'table', options: { client, table: 'x'.repeat(64) } },
    { option: 'columns', options: { client, columns: 'id' } },
    { option: 'columns', options: { client, columns: null } },
    { option: 'columns.id', options: { client, columns: { id: '' } } },
    { option: 'columns.version', options: { client, columns: { version: 1 } } },
    { option: 'columns.version', options: { client, mapRow, columns: { version: 'v' } } },
    { option: 'versions', options: { client, mapRow, versions: 'counter' } },
    { option: 'versions', options: { client, mapRow, versions: null } },
    { option: 'versions', options: { client, mapRow, versions: { column: 'a', other: 1 } } },
    { option: 'versions.column', options: { client, mapRow, versions: { column: '' } } },
    { option: 'versions', options: { client, versions: 'hash' } },
    { option: 'schema', options: { client, mapRow, schema: 'x'.repeat(64) } },
    { option: 'schema', options: { client, schema: 'hydrant' } },
    { option: 'columns.config', options: { client, mapRow, columns: { config: ['a -- b'] } } },
    { option: 'columns.status', options: { client, columns: { status: null } } },
    { option: 'columns.config', options: { client, mapRow, columns: { config: [] } } },
    { option: 'columns.config', options: { client, mapRow, columns: { config: [''] } } },
    { option: 'columns.config', options: { client, columns: { config: ['a'] } } },
    { option: 'where', options: { client, mapRow, where: ' ' } },
    { option: 'where', options: { client, mapRow, where: 'true -- always' } },
    { option: 'where', options: { client, where: 'true' } },
    { option: 'stopped', options: { client, mapRow, stopped: false } },
    { option: 'stopped', options: { client, stopped: 'false' } },
    { option: 'softDelete', options: { client, softDelete: 'a = 1' } },
    { option: 'softDelete', options: { client, mapRow, softDelete: ' ' } },
    { option: 'idType', options: { client, idType: 'uuid' } },
    { option: 'idType', options: { client, mapRow, idType: 'int' } },
    { option: 'mapRow', options: { client, mapRow: {} } },
    { option: 'toRow', options: { client, toRow: 'x' } },
    { option: 'toRow', options: { client, mapRow, toRow: 'x' } },
    { option: 'toRow', options: { client, toRow: mapRow } },
    { option: 'notify', options: { client, notify: 'yes' } },
    { option: 'channel', options: { client, channel: 'x'.repeat(64) } },
    { option: 'listenClient', options: { client, listenClient: {} } },
    { option: 'watch', options: { client, listenClient: mapRow, watch: null } },
    { option: 'watch.timeoutMs', options: { client, listenClient: mapRow, watch: { timeoutMs: '5' } } },
    { option: 'watch.backoff', options: { client, listenClient: mapRow, watch: { backoff: null } } },
    { option: 'watch.pingIntervalMs', options: { client, listenClient: mapRow, watch: { pingIntervalMs: 0 } } },
    { option: 'watch.timeoutMs', options: { client, listenClient: mapRow, watch: { timeoutMs: Number.NaN } } },
    {
      option: 'watch.backoff.maxMs',
      options: { client, listenClient: mapRow, watch: { backoff: { initialMs: 1, maxMs: 2 ** 31 } } },
    },
  ])('refuses a wrong $option, and the error has the expected and the given value', ({ option, options }) => {
    expect(() => new PostgresStore(options as PostgresStoreOptions<object>)).toThrow(
      expect.toSatisfy(
        (error) =>
          isConnectionError(error, 'INVALID_OPTIONS')
          && error.message.startsWith(`PostgresStore: ${option}: `)
          && /expected .+, got .+/.test(error.message),
      ),
    );
  });

  test.each<{ where: unknown; shown: string }>([
    { where: 'a--', shown: '"a--"' },
    { where: '--x'.repeat(40), shown: `"${'--x'.repeat(13)}-…"` },
    { where: null, shown: 'null' },
    { where: ['a'], shown: 'an array' },
    { where: {}, shown: 'an object' },
    { where: 7, shown: '7' },
  ])('shows the given value, but cuts it: $where', ({ where, shown }) => {
    expect(() => new PostgresStore({ client, mapRow, where } as never)).toThrow(
      expect.toSatisfy((error: Error) => error.message.endsWith(`, got ${shown}`)),
    );
  });

  test.each<{ options: object; says: string }>([
    { options: { table: 'bots', stopped: 'false' }, says: 'stopped: expected none without mapRow: add mapRow, got "false"' },
    { options: { mapRow, columns: { config: [] } }, says: 'columns.config: expected at least one column name or expression' },
  ])('says what to do: $says', ({ options, says }) => {
    expect(() => new PostgresStore({ client, ...options } as never)).toThrow(`PostgresStore: ${says}`);
  });

  test('refuses an invalid lock time-out', async () => {
    const store = new PostgresStore({ client });
    for (const lockTimeoutMs of [-1, 0.5, Number.POSITIVE_INFINITY, '5s']) {
      await expect(store.migrate({ lockTimeoutMs: lockTimeoutMs as number })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
      await expect(store.migrate({ lockTimeoutMs: lockTimeoutMs as number })).rejects.toThrow(
        'PostgresStore: lockTimeoutMs: expected whole milliseconds',
      );
    }
  });

  test('has watch only with listenClient', () => {
    expect(new PostgresStore({ client }).watch).toBeUndefined();
    expect(new PostgresStore({ client, listenClient: () => ({}) as never, watch: { timeoutMs: 2 ** 31 - 1 } }).watch).toBeTypeOf(
      'function',
    );
  });
});
