import { ConnectionRegistry, tableStore } from 'hydrant';
import { describe, expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { bot, Bots, type Bot } from './support/bot-table.js';

describe('a read of a tableStore that fails', () => {
  /** Fails like a database whose ids are uuids. */
  const strict = (bots: Bots) => async (ids: readonly string[]): Promise<Bot[]> => {
    const rows = await bots.read(ids);
    if (ids.some((id) => id.startsWith('junk'))) throw new Error('invalid input syntax for type uuid');
    return rows;
  };

  test('for several ids is retried id by id: the others are found, and the failing one is unavailable', async () => {
    const bots = new Bots(bot('a'), bot('b'));
    const records = await tableStore({ read: strict(bots) }).getMany(['a', 'junk', 'b', 'c']);
    expect([...records.keys()].toSorted()).toEqual(['a', 'b', 'junk']);
    expect(records.get('a')).toMatchObject({ token: 'token of a' });
    expect(records.get('junk')).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      connectionId: 'junk',
      cause: { message: 'invalid input syntax for type uuid' },
    });
    expect(bots.reads).toEqual([['a', 'junk', 'b', 'c'], ['a'], ['junk'], ['b'], ['c']]);
  });

  test('for one id rejects with the error of read', async () => {
    await expect(tableStore({ read: strict(new Bots()) }).get('junk')).rejects.toThrow('uuid');
    await expect(tableStore({ read: () => { throw new Error('synchronously'); } }).get('a')).rejects.toThrow('synchronously');
  });

  test('because validId throws fails that id alone, and reads the others together', async () => {
    const bots = new Bots(bot('1'), bot('2'));
    const store = tableStore({ read: bots.read, validId: (id) => BigInt(id) > 0n });
    const records = await store.getMany(['1', 'wp-login.php', '2', '-1']);
    expect([...records.keys()].toSorted()).toEqual(['1', '2', 'wp-login.php']);
    expect(records.get('wp-login.php')).toMatchObject({ code: 'STORE_UNAVAILABLE', cause: { name: 'SyntaxError' } });
    await expect(store.get('wp-login.php')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(bots.reads).toEqual([['1', '2']]);
  });

  test('for every id rejects with the first failure', async () => {
    let reads = 0;
    const store = tableStore<Bot>({ read: () => { throw new Error(`down ${reads += 1}`); } });
    await expect(store.getMany(['a', 'b', 'c'])).rejects.toThrow('down 1');
    expect(reads).toBe(4);
  });

  test('reads at most 8 single ids at a time, however many batches have failed', async () => {
    let running = 0;
    let most = 0;
    const store = tableStore<Bot>({
      async read(ids) {
        if (ids.length > 1) throw new Error('too many');
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => { setImmediate(resolve); });
        running -= 1;
        return ids.map((id) => bot(id));
      },
    });
    const batches = [0, 1, 2].map((batch) => Array.from({ length: 30 }, (_, n) => `${batch}-${n}`));
    const found = await Promise.all(batches.map((ids) => store.getMany(ids)));
    expect({ most, sizes: found.map(({ size }) => size) }).toEqual({ most: 8, sizes: [30, 30, 30] });
  });

  test('a single read that hangs blocks no other batch once its own is aborted', async () => {
    const controller = new AbortController();
    const reads: string[] = [];
    const hung = deferred<Bot[]>();
    const store = tableStore<Bot>({
      read(ids) {
        if (ids.length > 1) throw new Error('too many');
        reads.push(ids[0] as string);
        return ids[0] === 'hangs' ? hung.promise : ids.map((id) => bot(id));
      },
    });
    const first = store.getMany(['hangs', 'a'], { signal: controller.signal });
    const second = store.getMany(['b', 'c']);
    await new Promise((resolve) => { setImmediate(resolve); });
    expect(reads).toEqual(['hangs', 'a']);
    controller.abort(new Error('too late'));
    expect((await second).size).toBe(2);
    hung.resolve([]);
    await expect(first).rejects.toThrow('too late');
  });

  test('sends no more reads once it is aborted', async () => {
    const controller = new AbortController();
    const reads: (readonly string[])[] = [];
    const store = tableStore<Bot>({
      async read(ids) {
        reads.push(ids);
        if (reads.length === 4) controller.abort(new Error('too late'));
        throw new Error('down');
      },
    });
    const ids = Array.from({ length: 100 }, (_, n) => `c${n}`);
    await expect(store.getMany(ids, { signal: controller.signal })).rejects.toThrow('too late');
    expect(reads.length).toBe(4);
  });

  test.each([
    {
      what: 'rows of a driver that resolves { rows }',
      read: () => ({ rows: [bot('a')] }) as never,
      message: /array of rows, got object/,
    },
    { what: 'rows of mysql2 with their fields', read: () => [[bot('a')], []] as never, message: /to have an id, got undefined/ },
    { what: 'nothing', read: () => undefined as never, message: /array of rows, got undefined/ },
  ])('$what: the error says what was expected', async ({ read, message }) => {
    await expect(tableStore<Bot>({ read }).get('a')).rejects.toThrow(message);
    await expect(tableStore<Bot>({ read }).getMany(['a', 'b'])).rejects.toThrow(message);
  });

  test('an id that could not be read fails its own uses, and disposes of no live instance', async () => {
    const bots = new Bots(bot('a'), bot('b'));
    let broken = false;
    const disposed: string[] = [];
    const store = tableStore<Bot>({
      read(ids) {
        if (broken && ids.includes('b')) throw new Error('connection lost');
        return bots.read(ids);
      },
    });
    await using registry = new ConnectionRegistry({
      store, factory: { create: (record) => record.token, dispose: (token) => { disposed.push(token); } },
    });
    const failures: unknown[] = [];
    registry.on('storeFailed', ({ error }) => failures.push(error));
    const uses = (): Promise<unknown[]> =>
      Promise.all(['a', 'b'].map((id) => registry.use(id, (token) => token).catch((error: { code: string }) => error.code)));
    expect(await uses()).toEqual(['token of a', 'token of b']);
    broken = true;
    expect(await uses()).toEqual(['token of a', 'STORE_UNAVAILABLE']);
    expect({ disposed, failures }).toMatchObject({ disposed: [], failures: [{ message: 'connection lost' }] });
    broken = false;
    expect(await uses()).toEqual(['token of a', 'token of b']);
    expect(disposed).toEqual([]);
  });
});
