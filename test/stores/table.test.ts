import { isConnectionError, tableStore, type ConnectionStatus } from 'hydrant';
import { storeConformance, type StoreUnderTest } from 'hydrant/testing';
import { describe, expect, test } from 'vitest';
import { bot, Bots, type Bot } from './support/bot-table.js';

const status = (row: Bot): ConnectionStatus => (row.pausedAt === null ? 'active' : 'stopped');

describe('tableStore', () => {
  const kinds: Record<string, (bots: Bots) => ReturnType<typeof tableStore<Bot>>> = {
    'with a hash of the row': (bots) => tableStore({ read: bots.read, status, ignore: ['lastError'] }),
    'with a keyed hash of the row': (bots) => tableStore({ read: bots.read, status, ignore: ['lastError'], versionKey: 'a key' }),
    'with a version of its owner': (bots) => tableStore({ read: bots.read, status, version: ({ token }) => token }),
  };
  describe.each(Object.entries(kinds))('%s', (_kind, storeOf) => {
    storeConformance({ describe, it: test }, (): StoreUnderTest => {
      const bots = new Bots();
      return {
        store: storeOf(bots),
        write: async (id, row) => {
          bots.rows.set(id, bot(id, { token: row.config, pausedAt: row.status === 'active' ? null : new Date(0) }));
        },
        remove: async (id) => {
          bots.rows.delete(id);
        },
        configOf: (record) => (record as unknown as Bot).token,
        bookkeep: async (id) => {
          bots.rows.set(id, { ...(bots.rows.get(id) as Bot), lastError: 'timed out' });
        },
        writeInvalid: async (id) => {
          bots.rows.set(id, bot(id, { token: (() => {}) as never, pausedAt: 'never' as never }));
        },
      };
    }, { getMany: true, bookkeeping: true, invalidRows: _kind !== 'with a version of its owner' });
  });

  test('a record has all columns of its row, whatever the order of the rows', async () => {
    const store = tableStore({ read: new Bots(bot('a'), bot('b')).read, status });
    expect(await store.getMany(['a', 'b', 'c'])).toEqual(new Map(['a', 'b'].map((id) => [
      id, { id, token: `token of ${id}`, pausedAt: null, status: 'active', version: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ])));
  });

  test('the id of a row is its column id as text, or the column of the option id', async () => {
    const numbered = tableStore({ read: () => [{ id: 7, token: 'a' }, { id: 8n, token: 'b' }] });
    expect([...(await numbered.getMany(['7', '8', '9'])).keys()]).toEqual(['7', '8']);
    const keyed = tableStore({ read: () => [{ _id: { hex: 'ff' }, token: 'a' }], id: (row) => row._id.hex });
    expect(await keyed.get('ff')).toMatchObject({ id: 'ff', token: 'a' });
  });

  test('without the option status, the column status decides whether a row is stopped', async () => {
    const store = tableStore({
      read: () => [
        { id: 'a', status: 'stopped' },
        { id: 'b', status: 'error' },
        { id: 'c', status: null },
      ],
    });
    const records = await store.getMany(['a', 'b', 'c']);
    expect([...records.values()].map((record) => record.status)).toEqual(['stopped', 'active', 'active']);
  });

  test('a stopped row never has the version of an active one, even if only time has stopped it', async () => {
    let now = 0;
    const rows = [{ id: 'a', rev: 7, endsAt: 5 }];
    const statusAt = (row: { endsAt: number }): ConnectionStatus => (row.endsAt > now ? 'active' : 'stopped');
    for (const store of [
      tableStore({ read: () => rows, status: statusAt }),
      tableStore({ read: () => rows, status: statusAt, version: (row) => row.rev }),
    ]) {
      now = 0;
      const active = await store.get('a');
      now = 5;
      const stopped = await store.get('a');
      expect({ active: active?.status, stopped: stopped?.status, sameVersion: active?.version === stopped?.version }).toEqual({
        active: 'active',
        stopped: 'stopped',
        sameVersion: false,
      });
    }
  });

  test('a document that lacks an ignored field is a record like any other', async () => {
    const documents = [{ id: 'new', token: 't' }, { id: 'failed once', token: 't', lastError: '401' }];
    const store = tableStore({ read: (ids) => documents.filter(({ id }) => ids.includes(id)), ignore: ['lastError'] });
    const found = await store.getMany(['new', 'failed once']);
    expect([...found.values()].map(({ token }) => token)).toEqual(['t', 't']);
  });

  test('a version from the application is passed on unchanged', async () => {
    for (const version of [7, 7n, 'seven', 0])
      expect((await tableStore({ read: () => [{ id: 'a' }], version: () => version }).get('a'))?.version).toBe(version);
  });

  test('ids that cannot exist are answered without a query', async () => {
    const bots = new Bots(bot('a'));
    const store = tableStore({ read: bots.read, validId: (id) => id.length === 1 });
    expect(await store.get('not-an-id')).toBeUndefined();
    expect([...(await store.getMany(['a', 'junk', '', '\0', '\ud800', 'a'])).keys()]).toEqual(['a']);
    expect(bots.reads).toEqual([['a']]);
  });

  test('a row that a collation found under another id is ignored', async () => {
    const store = tableStore({ read: () => [bot('A'), bot('a')] });
    expect([...(await store.getMany(['a', 'b'])).keys()]).toEqual(['a']);
    expect(await store.get('B')).toBeUndefined();
  });

  test('read gets the signal of the caller, or one that never aborts', async () => {
    const signals: AbortSignal[] = [];
    const store = tableStore({ read: (_ids, { signal }) => { signals.push(signal); return [bot('a')]; } });
    const controller = new AbortController();
    await store.get('a', { signal: controller.signal });
    await store.get('a');
    expect(signals.map((signal) => ({ given: signal === controller.signal, aborted: signal.aborted }))).toEqual([
      { given: true, aborted: false },
      { given: false, aborted: false },
    ]);
    controller.abort(new Error('too late'));
    await expect(store.get('a', { signal: controller.signal })).rejects.toThrow('too late');
    expect(signals.length).toBe(2);
  });

  test('a thenable that read returns is awaited, as the query builders of ORMs are', async () => {
    let runs = 0;
    const query = Object.assign(new Promise<Bot[]>((resolve) => { runs += 1; resolve([bot('a')]); }), { execute() {} });
    expect(await tableStore({ read: () => query as PromiseLike<Bot[]> }).get('a')).toMatchObject({ id: 'a' });
    expect(runs).toBe(1);
  });
});

describe('a row of a tableStore that is no record', () => {
  const good = bot('good');
  const cases: { what: string; store: ReturnType<typeof tableStore<any>>; why: RegExp }[] = [
    {
      what: 'with a value that has no canonical form',
      store: tableStore({ read: () => [good, bot('bad', { token: new Map() as never })] }),
      why: /'token' holds an instance of a class/,
    },
    { what: 'that occurs twice', store: tableStore({ read: () => [good, bot('bad'), bot('bad')] }), why: /more than once/ },
    {
      what: 'whose status throws',
      store: tableStore({
        read: () => [good, bot('bad')],
        status: (row) => {
          if (row.id === 'bad') throw new Error(row.token);
          return 'active';
        },
      }),
      why: /could not be read/,
    },
    {
      what: 'whose status is none',
      store: tableStore({
        read: () => [good, bot('bad')],
        status: (row) => (row.id === 'bad' ? (row.token as never) : 'active'),
      }),
      why: /has no status/,
    },
    {
      what: 'whose version is none',
      store: tableStore({ read: () => [good, bot('bad')], version: (row) => (row.id === 'bad' ? (new Date() as never) : 1) }),
      why: /has no version/,
    },
    {
      what: 'whose version is empty',
      store: tableStore({ read: () => [good, bot('bad')], version: (row) => (row.id === 'bad' ? '' : 1) }),
      why: /has no version/,
    },
    {
      what: 'whose version is not a number',
      store: tableStore({ read: () => [good, bot('bad')], version: (row) => (row.id === 'bad' ? NaN : 1) }),
      why: /has no version/,
    },
    {
      what: 'with a column that throws',
      store: tableStore({
        read: () => [
          good,
          {
            id: 'bad',
            get token() {
              throw new Error('token of bad');
            },
          },
        ],
      }),
      why: /could not be read/,
    },
  ];

  test.each(cases)('$what is INVALID_RECORD for its id alone', async ({ store, why }) => {
    const records = await store.getMany(['good', 'bad', 'missing']);
    const error: unknown = records.get('bad');
    expect([...records.keys()].toSorted()).toEqual(['bad', 'good']);
    expect(records.get('good')).toMatchObject({ id: 'good', token: 'token of good' });
    expect(error).toMatchObject({ code: 'INVALID_RECORD', connectionId: 'bad', message: expect.stringMatching(why) });
    expect((error as Error).message).not.toContain('token of bad');
    await expect(store.get('bad')).rejects.toMatchObject({ code: 'INVALID_RECORD', connectionId: 'bad' });
  });

  test('because read says so is INVALID_RECORD for its id alone', async () => {
    const { ConnectionError } = await import('hydrant');
    const store = tableStore({
      read: (ids) =>
        ids.map((id) => {
          if (id === 'bad') throw new ConnectionError('INVALID_RECORD', 'no token', { connectionId: id });
          return bot(id);
        }),
    });
    for (const ids of [['bad'], ['good', 'bad']]) {
      const records = await store.getMany(ids);
      expect({ bad: isConnectionError(records.get('bad'), 'INVALID_RECORD'), size: records.size }).toEqual({
        bad: true,
        size: ids.length,
      });
    }
    await expect(store.get('bad')).rejects.toMatchObject({ code: 'INVALID_RECORD' });
  });
});

describe('options of tableStore', () => {
  const read = (): Bot[] => [];
  test.each<{ message: string; options: unknown }>([
    { message: 'expected an object of options, got nothing', options: undefined },
    { message: 'read: expected a function (ids, { signal }) => rows, got nothing', options: {} },
    { message: 'id: expected a function, got a string', options: { read, id: 'key' } },
    { message: 'status: expected a function, got a string', options: { read, status: 'active' } },
    { message: 'version: expected a function, got a string', options: { read, version: 'rev' } },
    { message: 'validId: expected a function, got /x/', options: { read, validId: /x/ } },
    { message: 'ignore: expected an array of column names, got "lastError"', options: { read, ignore: 'lastError' } },
    { message: 'ignore: expected an array of column names, got an array', options: { read, ignore: [7] } },
    { message: 'versionKey: expected a text that is not empty, got ""', options: { read, versionKey: '' } },
    { message: "does not know 'statuss'", options: { read, statuss: () => 'active' } },
  ])('$message', ({ message, options }) => {
    expect(() => tableStore(options as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS', message: `tableStore: ${message}` }),
    );
  });
});
