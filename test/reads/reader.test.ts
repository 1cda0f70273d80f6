import type { ConnectionRecord, ConnectionStore } from 'hydrant';
import { ManualClock } from 'hydrant/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { Environment } from '../../src/environment.js';
import type { Read } from '../../src/reads/lane.js';
import { Reader } from '../../src/reads/reader.js';
import type { Answer } from '../../src/reads/query.js';
import { BackgroundWaiter, RowWaiter } from '../../src/reads/waiters.js';
import { deferred, type Deferred } from '../support/deferred.js';

type Row = { id: string; version: string; status: 'active' };

let clock: ManualClock;
let sent: string[];
let answers: [string, Answer][];
let failures: unknown[];
let gates: Deferred<any>[];
let applying: Promise<void> | undefined;

/** A store that has these methods, each of which answers when its gate is opened. */
function reader(methods: readonly ('get' | 'getMany' | 'getVersions')[], storeTimeoutMs = 5_000): Reader<Row> {
  const method = (name: string) => (ids: string | readonly string[]): Promise<never> => {
    sent.push(`${name} ${String(ids)}`);
    const gate = deferred<never>();
    gates.push(gate);
    return gate.promise;
  };
  const env = new Environment<Row, unknown>({
    clock,
    storeTimeoutMs,
    store: Object.fromEntries(
      ['get', ...methods].map((name) => [name, method(name)]),
    ) as unknown as ConnectionStore<ConnectionRecord>,
  } as never);
  env.emit = (event, payload) => { if (event === 'storeFailed') failures.push((payload as { error: unknown }).error); };
  return new Reader<Row>(env, (read: Read<Row>, answer: Answer) => {
    answers.push([read.id, answer]);
    return applying;
  });
}
const waiter = (gone = false): RowWaiter<Row, unknown> => {
  const one = new RowWaiter<Row, unknown>(true, () => gone);
  one.promise.catch(() => {});
  return one;
};

beforeEach(() => {
  clock = new ManualClock();
  [sent, answers, failures, gates, applying] = [[], [], [], [], undefined];
});

describe('the queries of the reader', () => {
  test.each(['version first', 'row first'])(
    'the version and the row of one id, requested in one turn, are one read of the row: %s',
    async (order) => {
      const reads = reader(['getVersions', 'getMany']);
      for (const kind of order === 'version first' ? (['version', 'row'] as const) : (['row', 'version'] as const))
        reads.request('a', kind, waiter());
      await clock.advance(0);
      expect(sent).toEqual(['get a']);
    },
  );

  test('a check of a live connection stays in its lane although its row is requested as well', async () => {
    const reads = reader([]);
    for (let id = 0; id < 40; id += 1) reads.request(`stranger${id}`, 'row', waiter());
    await clock.advance(0);
    expect(sent).toHaveLength(32);
    reads.request('live', 'version', waiter());
    reads.request('live', 'row', waiter());
    await clock.advance(0);
    expect(sent.at(-1)).toBe('get live');
    expect(sent).toHaveLength(33);
  });

  test('are not sent when all callers have left, and that is no failure', async () => {
    const reads = reader(['getMany']);
    reads.request('a', 'row', waiter(true));
    await clock.advance(0);
    expect({ sent, failures, answers }).toEqual({ sent: [], failures: [], answers: [] });
    reads.request('a', 'row', waiter());
    await clock.advance(0);
    expect(sent).toEqual(['get a']);
  });

  test('ask for at most a hundred rows at a time, not counting those without a waiter', async () => {
    const reads = reader(['getMany']);
    for (let id = 0; id < 250; id += 1) reads.request(`c${id}`, 'row', waiter(id < 50));
    await clock.advance(0);
    expect(sent.map((line) => line.split(',').length)).toEqual([100, 100]);
  });

  test('are not sent without a waiter once the registry closes', async () => {
    const reads = reader([]);
    reads.stopBackground();
    reads.request('hinted', 'version');
    reads.request('swept', 'version', new BackgroundWaiter<Row>(() => {}));
    reads.request('used', 'version', waiter());
    await clock.advance(0);
    expect(sent).toEqual(['get used']);
  });

  test('wait with the next read of an id until the answer to the one before has been applied', async () => {
    const reads = reader([]);
    const applied = deferred();
    applying = applied.promise;
    reads.request('a', 'row', waiter());
    await clock.advance(0);
    reads.request('a', 'row', waiter());
    gates[0]?.resolve(undefined);
    await clock.advance(0);
    expect(sent).toEqual(['get a']);
    applying = undefined;
    applied.resolve();
    await clock.advance(0);
    expect(sent).toEqual(['get a', 'get a']);
  });

  test('know their waiters, before and after they are sent', async () => {
    const reads = reader([]);
    const [first, second] = [waiter(), waiter()];
    reads.request('a', 'row', first);
    expect([...reads.waiters()]).toEqual([['a', first]]);
    await clock.advance(0);
    reads.request('a', 'row', second);
    expect([...reads.waiters()]).toEqual([['a', first], ['a', second]]);
    expect(reads.markDoubtful('b')).toBe(false);
    expect(reads.markDoubtful('a')).toBe(true);
  });
});

describe('an answer of the store', () => {
  const row = { id: 'a', version: '1', status: 'active' };
  const ask = async (
    kind: 'version' | 'row',
    ids: readonly string[],
    answer: unknown,
    methods: readonly ('getMany' | 'getVersions')[] = ['getMany', 'getVersions'],
  ): Promise<Answer[]> => {
    const reads = reader(methods);
    for (const id of ids) reads.request(id, kind, waiter());
    await clock.advance(0);
    gates[0]?.resolve(answer);
    await clock.advance(0);
    return answers.map(([, one]) => one);
  };

  test('may be a row, rows or versions, and undefined and null mean missing', async () => {
    expect(await ask('row', ['a'], row)).toEqual([{ kind: 'row', row }]);
    answers = []; gates = [];
    expect(await ask('row', ['a', 'b'], new Map([['a', row]]))).toEqual([{ kind: 'row', row }, { kind: 'row', row: undefined }]);
    answers = []; gates = [];
    expect(await ask('version', ['a', 'b', 'c', 'd'], new Map<string, unknown>([['a', 7], ['c', undefined], ['d', null]])))
      .toEqual(['7', undefined, undefined, undefined].map((version) => ({ kind: 'version', version })));
  });

  test.each(['getMany', 'getVersions'] as const)('that is no Map from %s is named in the error', async (method) => {
    for (const nonsense of [undefined, {}]) {
      [answers, gates, failures] = [[], [], []];
      await ask(method === 'getMany' ? 'row' : 'version', ['a', 'b'], nonsense);
      expect(answers.map(([, { kind }]) => kind)).toEqual(['failed', 'failed']);
      expect(failures.map((error) => (error as Error).message)).toEqual([`the store's ${method} must resolve a Map`]);
    }
  });

  test('that comes after its time is dropped, and is no second failure', async () => {
    const reads = reader([]);
    reads.request('a', 'row', waiter());
    await clock.advance(5_000);
    expect(failures).toHaveLength(1);
    gates[0]?.reject(new Error('late'));
    await clock.advance(0);
    expect(failures).toHaveLength(1);
    expect(answers).toHaveLength(1);
  });

  test.each([
    { timeoutMs: 5_000, timers: 1 },
    { timeoutMs: Infinity, timers: 0 },
  ])('with a time-out of $timeoutMs ms, $timers timers keep the process alive', async ({ timeoutMs, timers }) => {
    reader([], timeoutMs).request('a', 'row', waiter());
    await clock.advance(0);
    expect(clock).toMatchObject({ pendingTimers: timers, pendingRefTimers: timers });
  });
});
