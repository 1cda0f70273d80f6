import { ConnectionError, ConnectionRegistry, MemoryStore } from 'hydrant';
import { ExclusiveRunner, MemoryClaims, MemoryClaimServer } from 'hydrant/exclusive';
import { ManualClock } from 'hydrant/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { aborted } from './support/cluster.js';

interface Socket { readonly by: string; readonly version: string; closed: Promise<void>; close(): Promise<void> }
interface Data { readonly id: string; readonly name: string }

let clock: ManualClock;
let server: MemoryClaimServer;
let store: MemoryStore<Data>;
/** Sockets that are open, as the platform sees them, and the most that were open at once. */
let open: Socket[];
let mostOpen: number;

beforeEach(() => {
  clock = new ManualClock();
  server = new MemoryClaimServer({ clock });
  store = new MemoryStore<Data>([{ id: 'a', name: 'a' }]);
  [open, mostOpen] = [[], 0];
});

/** A socket takes 200 ms to open and 300 ms to close. */
async function openSocket(by: string, version: string): Promise<Socket> {
  const closed = deferred();
  const socket: Socket = {
    by, version, closed: closed.promise,
    async close() {
      await new Promise<void>((resolve) => { clock.setTimeout(resolve, 300, { ref: true }); });
      open = open.filter((one) => one !== socket);
      closed.resolve();
    },
  };
  open.push(socket);
  mostOpen = Math.max(mostOpen, open.length);
  await new Promise<void>((resolve) => { clock.setTimeout(resolve, 200, { ref: true }); });
  return socket;
}

/** The pattern of the guide. */
function replica(name: string) {
  const registry = new ConnectionRegistry({
    store, clock, sweepIntervalMs: 0, replacement: 'drain-first',
    factory: {
      create(record) {
        if (!runner.owns(record.id)) throw new ConnectionError('CLAIM_LOST', 'Another replica owns this connection');
        return openSocket(name, String(record.version));
      },
      dispose: (socket: Socket) => socket.close(),
    },
  });
  const runner = new ExclusiveRunner({
    registry, claims: new MemoryClaims({ server }), clock, ttlMs: 9_000, replicaName: name, list: () => store.list(),
    async run({ id, signal, use, onEnd }) {
      const socket = await use((live) => live);
      onEnd(async () => {
        registry.invalidate(id);
        await socket.closed;
      });
      await aborted(signal);
    },
  });
  const send = async (id: string): Promise<string> => (runner.owns(id) ? registry.use(id, (socket) => socket.by) : 'forwarded');
  return { registry, runner, send };
}

describe('only the owner may hydrate', () => {
  test('others forward, and a hand-over closes the old socket before it opens the new one', async () => {
    const [first, second] = [replica('first'), replica('second')];
    const sentBy = async () => ({ first: await first.send('a'), second: await second.send('a') });
    first.runner.start();
    await clock.advance(3_000);
    second.runner.start();
    await clock.advance(3_000);
    expect(await sentBy()).toEqual({ first: 'first', second: 'forwarded' });

    const stopped = first.runner.stop();
    await clock.advance(200);
    expect(second.runner.owns('a'), 'the claim is kept while the socket closes').toBe(false);
    await clock.advance(5_000);
    await stopped;
    expect(await sentBy()).toEqual({ first: 'forwarded', second: 'second' });
    expect({ by: open.map(({ by }) => by), mostOpen }).toEqual({ by: ['second'], mostOpen: 1 });
    const ended = second.runner.stop();
    await clock.advance(5_000);
    await ended;
    expect(open).toEqual([]);
  });

  test('an edit closes the old socket before it opens the new one', async () => {
    const only = replica('only');
    only.runner.start();
    await clock.advance(3_000);
    const before = open[0]!.version;
    await store.put({ id: 'a', name: 'edited' });
    await only.runner.refresh();
    await clock.advance(5_000);
    expect({ open: open.length, mostOpen, edited: open[0]!.version !== before }).toEqual({ open: 1, mostOpen: 1, edited: true });
    const stopped = only.runner.stop();
    await clock.advance(5_000);
    await stopped;
  });

  test('a use that checked ownership before the claim was lost does not hydrate', async () => {
    const only = replica('only');
    await expect(only.registry.use('a', () => 'hydrated')).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
    expect(mostOpen).toBe(0);
    await only.registry.close();
  });
});

describe('onEnd', () => {
  test('runs last first, once the lease is released and before the claim is', async () => {
    const log: string[] = [];
    const registry = new ConnectionRegistry({ store, clock, sweepIntervalMs: 0, factory: { create: () => ({}) } });
    const runner = new ExclusiveRunner({
      registry, claims: new MemoryClaims({ server }), clock, ttlMs: 9_000, list: () => store.list(),
      async run({ id, signal, onEnd }) {
        const note = (what: string): void => {
          log.push(`${what}: ${registry.snapshot().leased} leased, ${server.owners().has(id) ? 'owned' : 'free'}`);
        };
        onEnd(() => note('first'));
        onEnd(async () => { note('second'); throw new Error('does not keep the first from running'); });
        await aborted(signal);
      },
    });
    runner.start();
    await clock.advance(3_000);
    await runner.stop();
    expect(log).toEqual(['second: 0 leased, owned', 'first: 0 leased, owned']);
    expect(server.owners().size).toBe(0);
    await registry.close();
  });

  test('that does not settle in time lets the claim expire', async () => {
    const registry = new ConnectionRegistry({ store, clock, sweepIntervalMs: 0, factory: { create: () => ({}) } });
    const runner = new ExclusiveRunner({
      registry, claims: new MemoryClaims({ server }), clock, ttlMs: 9_000, stopTimeoutMs: 1_000, list: () => store.list(),
      async run({ signal, onEnd }) {
        onEnd(() => new Promise(() => undefined));
        await aborted(signal);
      },
    });
    const unproven: string[] = [];
    runner.on('stopUnproven', ({ id }) => { unproven.push(id); });
    runner.start();
    await clock.advance(3_000);
    const stopped = runner.stop();
    await clock.advance(1_000);
    await stopped;
    expect({ unproven, owners: server.owners().size }).toEqual({ unproven: ['a'], owners: 1 });
    await registry.close();
  });
});
