import { ConnectionRegistry, tableStore, type ConnectionRecord, type ConnectionStore, type InstanceFactory } from 'hydrant';
import { expectTypeOf, test } from 'vitest';

interface Bot { id: string; token: string; rev: number; pausedAt: Date | null; lastError: string | null }
declare const readBots: (ids: readonly string[]) => Promise<Bot[]>;

test('records are typed from read', () => {
  const store = tableStore({
    read: (ids) => readBots(ids),
    status: (row) => (row.pausedAt === null ? 'active' : 'stopped'),
    version: (row) => row.rev,
    ignore: ['lastError'],
    validId: (id) => id.length === 36,
  });
  expectTypeOf(store.get).returns.resolves.toEqualTypeOf<
    (Omit<Bot, 'id' | 'status' | 'version'> & ConnectionRecord) | undefined
  >();
  expectTypeOf(store).toExtend<ConnectionStore<ConnectionRecord & { token: string; pausedAt: Date | null }>>();
  const factory: InstanceFactory<ConnectionRecord & { token: string }, string> = { create: (record) => record.token };
  void new ConnectionRegistry({ store, factory });
  const wrong: InstanceFactory<ConnectionRecord & { tokens: string[] }, string> = { create: (record) => record.tokens[0] ?? '' };
  // @ts-expect-error no such column
  void new ConnectionRegistry({ store, factory: wrong });
});

test('columns that the rows do not have are refused', () => {
  // @ts-expect-error no such column
  void tableStore({ read: readBots, status: (row) => (row.stopped ? 'stopped' : 'active') });
  // @ts-expect-error no such column
  void tableStore({ read: readBots, ignore: ['lastErrors'] });
  // @ts-expect-error no such status
  void tableStore({ read: readBots, status: () => 'paused' });
  // @ts-expect-error a date is no version
  void tableStore({ read: readBots, version: (row) => row.pausedAt });
  // @ts-expect-error one row, not an array of rows
  void tableStore({ read: async (): Promise<Bot> => (await readBots([]))[0] as Bot });
});

test('rows may be untyped', () => {
  void tableStore({ read: async (): Promise<any[]> => [] });
  void tableStore({ read: async (): Promise<Record<string, any>[]> => [], id: (row) => row['key'] });
});

test('an id of another type becomes text', () => {
  const store = tableStore({ read: async (): Promise<{ id: number; token: string }[]> => [] });
  expectTypeOf(store.get).returns.resolves.toEqualTypeOf<({ token: string } & ConnectionRecord) | undefined>();
});

test('rows of several kinds stay told apart', () => {
  type Row = { id: string; platform: 'slack'; secret: string } | { id: string; platform: 'telegram'; token: string };
  const store = tableStore({ read: async (): Promise<Row[]> => [], ignore: ['platform'] });
  void store.get('acme').then((record) => {
    if (record?.platform === 'slack') expectTypeOf(record.secret).toEqualTypeOf<string>();
  });
});

test('what awaits like a promise is taken, as the query builders of ORMs are', () => {
  void tableStore({ read: (): PromiseLike<readonly Bot[]> => readBots([]) });
  void tableStore({ read: (): Bot[] => [] });
});
