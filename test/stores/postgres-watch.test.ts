import { PostgresStore, type PostgresListenClient } from 'hydrant/postgres';
import { ManualClock, settle } from 'hydrant/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeConnection, FakeServer } from './support/fake-listening.js';

let clock: ManualClock;
let server: FakeServer;
let heard: (string | readonly string[])[];
let errors: unknown[];
let subscription: AsyncDisposable | undefined;
let refusal: unknown;
/** Called when a gap is reported, and when a loss is. */
let tell: () => void;
let tellLoss: () => void;
const listener = {
  changed: (ids: readonly string[]) => void heard.push(ids),
  gap: () => {
    heard.push('gap');
    tell();
  },
};

beforeEach(() => {
  clock = new ManualClock();
  server = new FakeServer();
  heard = [];
  errors = [];
  subscription = undefined;
  refusal = undefined;
  tell = tellLoss = () => {};
});
afterEach(async () => {
  server.down = undefined;
  const ended = subscription?.[Symbol.asyncDispose]();
  await clock.advance(60_000);
  await ended;
  expect(clock.pendingTimers).toBe(0);
});

function store(
  listenClient: () => PostgresListenClient | Promise<PostgresListenClient> = () => new FakeConnection(server),
): PostgresStore {
  return new PostgresStore({
    client: { query: (_text, values) => server.notify(values?.[0] as string) },
    listenClient,
    clock,
    onWatchError: (error) => {
      errors.push(error);
      tellLoss();
    },
    watch: { pingIntervalMs: 10_000, timeoutMs: 1_000, backoff: { initialMs: 100, maxMs: 8_000 } },
  });
}

async function watching(listenClient?: () => PostgresListenClient | Promise<PostgresListenClient>): Promise<void> {
  void store(listenClient).watch?.(listener).then((made) => { subscription = made; }, (error: unknown) => { refusal = error; });
  await clock.advance(0);
}

const hydrant = 'hydrant_hydrant_connections';

describe('PostgresStore.watch', () => {
  test('listens before it reports a gap', async () => {
    await watching();
    expect(server.last.queries[0]).toContain(`listen "${hydrant}"`);
    expect(heard).toEqual(['gap']);
  });

  test('reports ids, and a gap for a payload that is no list of ids', async () => {
    await watching();
    server.last.emit('notification', { channel: hydrant, payload: '["a","b"]' });
    server.last.emit('notification', { channel: 'somebody else', payload: '["c"]' });
    for (const payload of ['', undefined, 'a', '{}', '[1]', '["a",1]'])
      server.last.emit('notification', { channel: hydrant, payload });
    expect(heard).toEqual(['gap', ['a', 'b'], 'gap', 'gap', 'gap', 'gap', 'gap', 'gap']);
  });

  test.each([
    { how: 'reports an error', lose: (connection: FakeConnection) => connection.emit('error', new Error('terminated')) },
    { how: 'ends', lose: (connection: FakeConnection) => connection.emit('end') },
  ])('subscribes again, with a gap, when its connection $how', async ({ lose }) => {
    await watching();
    lose(server.last);
    await clock.advance(0);
    expect(server.connections).toHaveLength(1);
    expect(server.last.ended).toBe(true);
    await clock.advance(100);
    expect(server.connections).toHaveLength(2);
    expect(heard).toEqual(['gap', 'gap']);
    expect(errors).toHaveLength(1);
  });

  test('notices a connection that is silently dead, by its ping', async () => {
    await watching();
    server.down = 'hangs';
    await clock.advance(10_999);
    expect(errors).toHaveLength(0);
    await clock.advance(1);
    expect(errors).toHaveLength(1);
    server.down = undefined;
    await clock.advance(100);
    expect(heard).toEqual(['gap', 'gap']);
  });

  test('notices a connection that hears nothing any more', async () => {
    await watching();
    server.deaf = true;
    await clock.advance(11_000);
    expect(errors).toHaveLength(1);
    server.deaf = false;
    await clock.advance(100);
    expect(heard).toEqual(['gap', 'gap']);
  });

  test('refuses a connection that hears nothing, as behind a pooler in transaction mode', async () => {
    server.deaf = true;
    await watching();
    await clock.advance(1_000);
    expect(refusal).toBeInstanceOf(Error);
    expect(heard).toEqual([]);
  });

  test('ignores a connection that it has given up', async () => {
    await watching();
    const first = server.last;
    first.emit('error', new Error('terminated'));
    await clock.advance(100);
    heard.length = 0;
    for (const payload of ['["a"]', '']) first.emit('notification', { channel: hydrant, payload });
    first.emit('error', new Error('again'));
    await clock.advance(1_000);
    expect(heard).toEqual([]);
    expect(server.connections).toHaveLength(2);
    expect(errors).toHaveLength(1);
  });

  test('gives up at once a connection that is lost while its listener is called', async () => {
    await watching();
    server.last.emit('end');
    tell = () => {
      tell = () => {};
      server.last.emit('error', new Error('lost meanwhile'));
    };
    await clock.advance(100);
    expect(errors.slice(1)).toEqual([new Error('lost meanwhile')]);
    await clock.advance(200);
    expect(server.connections).toHaveLength(3);
  });

  test('makes no further attempt when it is disposed of by the error handler', async () => {
    await watching();
    let disposal: PromiseLike<void> | undefined;
    tellLoss = () => { disposal = subscription?.[Symbol.asyncDispose](); };
    server.last.emit('end');
    await clock.advance(0);
    await disposal;
    expect(clock.pendingTimers).toBe(0);
    expect(server.connections).toHaveLength(1);
  });

  test('waits on dispose until its connection has ended, but no longer than a time-out', async () => {
    await watching();
    server.down = 'hangs';
    let done = false;
    const disposal = Promise.resolve(subscription?.[Symbol.asyncDispose]()).then(() => { done = true; });
    await clock.advance(999);
    expect(done).toBe(false);
    await clock.advance(1);
    expect(done).toBe(true);
    await disposal;
  });

  test('backs off with jitter up to its maximum, and starts again after a ping was answered', async () => {
    await watching();
    server.down = 'refuses';
    server.last.emit('end');
    await clock.advance(0);
    const waits: number[] = [];
    for (let n = 0; n < 10; n += 1) {
      const before = clock.monotonic();
      const made = server.connections.length;
      while (server.connections.length === made) await clock.advance((clock.nextTimerAt ?? 0) - clock.monotonic());
      waits.push(clock.monotonic() - before);
    }
    waits.forEach((wait, n) => {
      const most = Math.min(8_000, 100 * 2 ** n);
      expect(wait).toBeGreaterThanOrEqual(most / 2);
      expect(wait).toBeLessThanOrEqual(most);
    });
    expect(new Set(waits).size).toBeGreaterThan(5);
    server.down = undefined;
    await clock.advance(8_000);
    expect(heard).toEqual(['gap', 'gap']);
    const made = server.connections.length;
    server.last.emit('end');
    await clock.advance(3_999);
    expect(server.connections, 'lost before a ping, so the delay is as long as before').toHaveLength(made);
    await clock.advance(4_001 + 10_000);
    server.last.emit('end');
    await clock.advance(100);
    expect(server.connections).toHaveLength(made + 2);
  });

  test('rejects when it cannot be opened a first time, and leaves nothing behind', async () => {
    server.down = 'refuses';
    await watching();
    expect(refusal).toMatchObject({ message: 'ECONNREFUSED' });
    server.down = undefined;
    await clock.advance(100_000);
    expect(heard).toEqual([]);
    expect(server.connections.map(({ ended }) => ended)).toEqual([true]);
  });

  test('ends a connection that opens too late', async () => {
    let made: ((connection: FakeConnection) => void) | undefined;
    await watching(() => new Promise((resolve) => { made = resolve; }));
    await clock.advance(1_000);
    expect(refusal).toMatchObject({ message: 'No answer within 1000 ms' });
    const late = new FakeConnection(server);
    made?.(late);
    await settle();
    expect(late.ended).toBe(true);
    expect(late.queries).toEqual([]);
  });

  test('counts a listenClient that throws as a failed attempt', async () => {
    await watching(() => { throw new Error('no such host'); });
    expect(refusal).toMatchObject({ message: 'no such host' });
  });

  test.each<{ when: string; reach: () => Promise<void> }>([
    { when: 'listening', reach: async () => {} },
    {
      when: 'waiting for its next attempt',
      reach: async () => { server.down = 'refuses'; server.last.emit('end'); await clock.advance(0); },
    },
    { when: 'connecting', reach: async () => { server.down = 'hangs'; server.last.emit('end'); await clock.advance(100); } },
    { when: 'pinging', reach: async () => { server.down = 'hangs'; await clock.advance(10_000); } },
  ])('releases everything when it is disposed of while $when', async ({ reach }) => {
    await watching();
    await reach();
    const made = server.connections.length;
    const told = errors.length;
    const disposal = subscription?.[Symbol.asyncDispose]();
    await clock.advance(1_000);
    await disposal;
    heard.length = 0;
    for (const connection of server.connections)
      for (const payload of ['["a"]', '']) connection.emit('notification', { channel: hydrant, payload });
    await clock.advance(100_000);
    expect(errors).toHaveLength(told);
    expect(server.connections).toHaveLength(made);
    expect(server.connections.every(({ ended }) => ended)).toBe(true);
    expect(heard).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('does not keep the process alive', async () => {
    await watching();
    expect(clock.pendingTimers).toBe(1);
    expect(clock.pendingRefTimers).toBe(0);
    server.down = 'hangs';
    await clock.advance(10_000);
    expect(clock.pendingTimers).toBe(1);
    expect(clock.pendingRefTimers).toBe(0);
  });
});
