import { PGlite } from '@electric-sql/pglite';
import { Cluster, Redis } from 'ioredis';
import pg from 'pg';
import { createClient, createCluster } from 'redis';
import { ConnectionRegistry, factoryByPlatform, type ConnectionStore, type InstanceFactory } from 'hydrant';
import { PostgresStore } from 'hydrant/postgres';
import { RedisStore } from 'hydrant/redis';
import { expectTypeOf, test } from 'vitest';

interface Base {
  readonly id: string;
  readonly version: string;
  readonly status: 'active' | 'stopped';
  readonly organizationId: string;
}
interface SlackRow extends Base { readonly platform: 'slack'; readonly config: { readonly botTokenRef: string } }
interface TelegramRow extends Base { readonly platform: 'telegram'; readonly config: { readonly tokenRef: string } }
type Row = SlackRow | TelegramRow;
declare const slack: InstanceFactory<SlackRow, { kind: 'slack' }>;
declare const telegram: InstanceFactory<TelegramRow, { kind: 'telegram' }>;

test('a store of a gateway\'s rows is a store of those rows, whichever of the two', () => {
  expectTypeOf<PostgresStore<Row>>().toExtend<ConnectionStore<Row>>();
  expectTypeOf<RedisStore<Row>>().toExtend<ConnectionStore<Row>>();
  const factory = factoryByPlatform('platform', { slack, telegram });
  for (const store of [new PostgresStore<Row>({ client: new pg.Pool() }), new RedisStore<Row>({ client: new Redis() })]) {
    const registry = new ConnectionRegistry({ store, factory });
    void registry.use('acme', (instance) => expectTypeOf(instance.kind).toEqualTypeOf<'slack' | 'telegram'>());
    // @ts-expect-error a Telegram row may come out of this store
    void new ConnectionRegistry({ store, factory: slack });
  }
});

test('put takes a row without a version, of one of its kinds', () => {
  const store = new PostgresStore<Row>({ client: new pg.Pool() });
  void store.put({ id: 'acme', organizationId: 'o1', platform: 'slack', config: { botTokenRef: 'vault:1' } });
  // @ts-expect-error the configuration is another platform's
  void store.put({ id: 'acme', organizationId: 'o1', platform: 'slack', config: { tokenRef: 'vault:1' } });
  // @ts-expect-error no such status
  void store.put({ id: 'acme', organizationId: 'o1', platform: 'slack', config: { botTokenRef: 'x' }, status: 'error' });
});

test('mapRow decides the records where nobody says otherwise', () => {
  const store = new PostgresStore({ client: new pg.Pool(), table: 't', mapRow: (row) => ({ token: String(row['token']) }) });
  expectTypeOf(store.get).returns.resolves.toExtend<{ token: string; version: string } | undefined>();
  void new PostgresStore<Row>({
    client: new pg.Pool(),
    // @ts-expect-error these are not the fields of a row
    mapRow: () => ({ nonsense: true }),
  });
});

test('clients are known by their shape', () => {
  void new PostgresStore({ client: new pg.Client() });
  void new PostgresStore({ client: new PGlite() });
  void new PostgresStore({ client: new pg.Pool(), listenClient: () => new pg.Client() });
  void new RedisStore({ client: new Cluster([]) });
  void new RedisStore({ client: createClient() });
  void new RedisStore({ client: createCluster({ rootNodes: [] }) });
  // @ts-expect-error neither kind of client
  void new RedisStore({ client: new pg.Pool() });
  // @ts-expect-error a pool cannot LISTEN
  void new PostgresStore({ client: new pg.Pool(), listenClient: () => new pg.Pool() });
});
