import { isConnectionError } from 'hydrant';
import { PostgresStore, type PostgresStoreOptions } from 'hydrant/postgres';
import { describe, expect, test } from 'vitest';

const client = { query: async () => ({ rows: [] }) };
const mapRow = (): object => ({});

describe('PostgresStore options', () => {
  test.each<[string, unknown]>([
    ['options', undefined],
    ['options', null],
    ['table', { client, table: '' }],
    ['table', { client, table: 7 }],
    ['table', { client, table: 'a.b.c' }],
    ['table', { client, table: '.b' }],
    ['table', { client, table: 'a\0b' }],
    ['table', { client, table: 'x'.repeat(64) }],
    ['columns', { client, columns: 'id' }],
    ['columns', { client, columns: null }],
    ['columns.id', { client, columns: { id: '' } }],
    ['columns.version', { client, columns: { version: 1 } }],
    ['columns.version', { client, mapRow, columns: { version: 'v' } }],
    ['versions', { client, mapRow, versions: 'counter' }],
    ['versions', { client, mapRow, versions: null }],
    ['versions', { client, mapRow, versions: { column: 'a', other: 1 } }],
    ['versions.column', { client, mapRow, versions: { column: '' } }],
    ['versions', { client, versions: 'hash' }],
    ['schema', { client, mapRow, schema: 'x'.repeat(64) }],
    ['schema', { client, schema: 'hydrant' }],
    ['columns.config', { client, mapRow, columns: { config: ['a -- b'] } }],
    ['columns.status', { client, columns: { status: null } }],
    ['columns.config', { client, mapRow, columns: { config: [] } }],
    ['columns.config', { client, mapRow, columns: { config: [''] } }],
    ['columns.config', { client, columns: { config: ['a'] } }],
    ['where', { client, mapRow, where: ' ' }],
    ['where', { client, mapRow, where: 'true -- always' }],
    ['where', { client, where: 'true' }],
    ['stopped', { client, mapRow, stopped: false }],
    ['stopped', { client, stopped: 'false' }],
    ['softDelete', { client, softDelete: 'a = 1' }],
    ['softDelete', { client, mapRow, softDelete: ' ' }],
    ['idType', { client, idType: 'uuid' }],
    ['idType', { client, mapRow, idType: 'int' }],
    ['mapRow', { client, mapRow: {} }],
    ['toRow', { client, toRow: 'x' }],
    ['toRow', { client, mapRow, toRow: 'x' }],
    ['toRow', { client, toRow: mapRow }],
    ['notify', { client, notify: 'yes' }],
    ['channel', { client, channel: 'x'.repeat(64) }],
    ['listenClient', { client, listenClient: {} }],
    ['watch', { client, listenClient: mapRow, watch: null }],
    ['watch.timeoutMs', { client, listenClient: mapRow, watch: { timeoutMs: '5' } }],
    ['watch.backoff', { client, listenClient: mapRow, watch: { backoff: null } }],
    ['watch.pingIntervalMs', { client, listenClient: mapRow, watch: { pingIntervalMs: 0 } }],
    ['watch.timeoutMs', { client, listenClient: mapRow, watch: { timeoutMs: Number.NaN } }],
    ['watch.backoff.maxMs', { client, listenClient: mapRow, watch: { backoff: { initialMs: 1, maxMs: 2 ** 31 } } }],
  ])('refuses a wrong %s, and the error has the expected and the given value', (option, options) => {
    expect(() => new PostgresStore(options as PostgresStoreOptions<object>)).toThrow(
      expect.toSatisfy(
        (error) =>
          isConnectionError(error, 'INVALID_OPTIONS')
          && error.message.startsWith(`PostgresStore: ${option}: `)
          && /expected .+, got .+/.test(error.message),
      ),
    );
  });

  test.each<[unknown, string]>([
    ['a--', '"a--"'],
    ['--x'.repeat(40), `"${'--x'.repeat(13)}-…"`],
    [null, 'null'],
    [['a'], 'an array'],
    [{}, 'an object'],
    [7, '7'],
  ])('shows the given value, but cuts it: %j', (where, shown) => {
    expect(() => new PostgresStore({ client, mapRow, where } as never)).toThrow(
      expect.toSatisfy((error: Error) => error.message.endsWith(`, got ${shown}`)),
    );
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
