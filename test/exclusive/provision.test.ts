import { afterEach, describe, expect, test } from 'vitest';
import { ConnectionRegistry } from 'hydrant';
import type { ProvisionContext } from 'hydrant/exclusive';
import { aborted, Cluster, type Bot, type Replica, type Row } from './support/cluster.js';

let cluster: Cluster;
afterEach(() => cluster.close());

type Provision = (record: Row, context: ProvisionContext<Bot>) => Promise<void>;

/** A platform that records its calls. */
function platform(): { calls: string[]; provision: Provision } {
  const calls: string[] = [];
  return { calls, provision: async ({ id, version }) => { calls.push(`${id} ${version}`); } };
}

async function threeReplicas(options: ConstructorParameters<typeof Replica>[1]): Promise<Replica[]> {
  const replicas = [0, 1, 2].map(() => cluster.replica(options));
  for (const { runner } of replicas) runner.start();
  await cluster.clock.advance(5_000);
  return replicas;
}

describe('provision', () => {
  test('runs on one replica per version of the record, before run', async () => {
    cluster = new Cluster(9);
    const { calls, provision } = platform();
    let provisionedFirst = true;
    const replicas = await threeReplicas({ provision });
    for (const replica of replicas)
      replica.work = async ({ id, record }) => {
        provisionedFirst &&= calls.includes(`${id} ${record.version}`);
      };
    expect(calls).toHaveLength(9);
    await cluster.store.put({ id: 'c0004', name: 'edited' });
    await cluster.clock.advance(5_000);
    expect(calls).toHaveLength(10);
    expect(calls.at(-1)).toBe('c0004 10');
    expect(provisionedFirst).toBe(true);
    expect(
      replicas
        .flatMap((replica) => replica.happened('provisioned'))
        .filter(({ id }) => id === 'c0004')
        .map(({ version }) => version),
    ).toEqual(['5', '10']);
  });

  test('is not repeated by the next owner, after a release or after a death', async () => {
    cluster = new Cluster(6);
    const { calls, provision } = platform();
    const [a, b, c] = await threeReplicas({ provision });
    void a!.runner.stop();
    await cluster.clock.advance(5_000);
    b!.fault = () => new Promise(() => undefined);
    await cluster.clock.advance(20_000);
    expect(c!.owned).toHaveLength(6);
    expect(calls).toHaveLength(6);
    b!.fault = undefined;
  });

  test('needs no run: the claim is kept, and no instance is held', async () => {
    cluster = new Cluster(6);
    const { calls, provision } = platform();
    const replicas = await threeReplicas({ provision, run: undefined as never });
    expect(calls).toHaveLength(6);
    expect(replicas.map((replica) => replica.registry.snapshot().leased)).toEqual([0, 0, 0]);
    await cluster.store.put({ id: 'c0001', name: 'edited' });
    await cluster.clock.advance(5_000);
    expect(calls).toHaveLength(7);
    expect(calls.at(-1)).toBe('c0001 7');
    expect(replicas.flatMap((replica) => replica.happened('startFailed')), 'keeping the claim is no failure').toEqual([]);
    expect(cluster.server.owners().size).toBe(6);
    const stopped = replicas.map(({ runner }) => runner.stop());
    await cluster.clock.advance(1_000);
    await Promise.all(stopped);
    expect(cluster.server.owners().size, 'and it ends at once').toBe(0);
  });

  test('without run stops at once, even if the instance stops the runner as it ends', async () => {
    cluster = new Cluster(1);
    let stopped = false;
    const registry = new ConnectionRegistry<Row, Bot>({
      store: cluster.store,
      clock: cluster.clock,
      sweepIntervalMs: 0,
      factory: {
        create: (row) => cluster.create(row),
        dispose: () =>
          void replica.runner.stop().then(() => {
            stopped = true;
          }),
      },
    });
    const withoutEvents: Pick<typeof registry, 'acquire'> = { acquire: (...about) => registry.acquire(...about) };
    const replica = cluster.replica({
      registry: withoutEvents,
      run: undefined as never,
      provision: ({ id }) => registry.use(id, (_bot, lease) => lease.retire('socket closed')),
    });
    replica.runner.start();
    await cluster.clock.advance(3_000);
    expect(stopped).toBe(true);
    expect(replica.happened('stopUnproven')).toEqual([]);
  });

  test('without run requires a listing with versions, and the error says so', async () => {
    cluster = new Cluster(1);
    const { calls, provision } = platform();
    const replica = await cluster.started({ provision, run: undefined as never, list: () => ['c0000'] });
    expect(calls).toEqual([]);
    expect(String(replica.happened('listFailed')[0]!.error)).toContain('expected objects with id and version');
  });

  test('is retried with the back-off of a failed start, and run does not begin before it has succeeded', async () => {
    cluster = new Cluster(1);
    let failing = true;
    const at: number[] = [];
    const replica = await cluster.started({
      provision: async () => {
        at.push(cluster.clock.monotonic());
        if (failing) throw new Error('429 Too Many Requests');
      },
    });
    await cluster.clock.advance(10_000);
    expect(at.slice(1).map((time, index) => Math.round(time - at[index]!))).toEqual([999, 1_998, 3_996]);
    expect(replica.owned).toEqual([]);
    failing = false;
    await cluster.clock.advance(20_000);
    expect(replica.owned).toEqual(['c0000']);
    expect(at).toHaveLength(5);
  });

  test('is given the token, the instance and a signal that aborts when the claim is lost', async () => {
    cluster = new Cluster(1);
    let given: ProvisionContext<Bot> | undefined;
    const replica = await cluster.started({
      provision: async (_record, context) => {
        given = context;
        context.assertHeld();
        await aborted(context.signal);
        throw context.signal.reason;
      },
    });
    expect(given).toMatchObject({ token: 1n, instance: { name: 'c0000' } });
    replica.fault = () => { throw new Error('gone'); };
    await cluster.clock.advance(9_000);
    expect(given!.signal.aborted).toBe(true);
    expect(() => given!.assertHeld()).toThrow(expect.objectContaining({ code: 'CLAIM_LOST' }));
    expect(replica.happened('startFailed')).toEqual([]);
    replica.fault = undefined;
  });

  test('that finds its claim expired before any timer fires is aborted at once, and does not count as failed', async () => {
    cluster = new Cluster(1);
    const found: unknown[] = [];
    const replica = await cluster.started({
      provision: async (_record, { assertHeld, signal }) => {
        if (found.length > 0) return;
        cluster.clock.jumpWall(3_600_000);
        try {
          assertHeld();
        } finally {
          found.push(signal.aborted);
        }
      },
    });
    expect(found).toEqual([true]);
    expect(replica.happened('startFailed')).toEqual([]);
    expect(replica.happened('ended')).toEqual([{ id: 'c0000', token: 1n, reason: 'expired' }]);
  });

  test('that takes longer than provisionTimeoutMs is aborted and counts as failed', async () => {
    cluster = new Cluster(1);
    let begun = 0;
    const replica = await cluster.started({
      provisionTimeoutMs: 4_000,
      provision: async (_record, { signal }) => {
        begun += 1;
        await aborted(signal);
      },
    });
    await cluster.clock.advance(8_000);
    expect(begun).toBe(2);
    expect(replica.happened('startFailed')[0]!.error).toEqual(new Error('provision has not settled within 4000 ms'));
  });

  test('that is overdue while the connection is being given up does not restart it', async () => {
    cluster = new Cluster(1);
    const replica = await cluster.started({
      provisionTimeoutMs: 6_000,
      provision: () =>
        new Promise((resolve) => {
          cluster.clock.setTimeout(resolve, 9_000, { ref: true });
        }),
    });
    const stopped = replica.runner.stop();
    await cluster.clock.advance(11_000);
    await stopped;
    expect(replica.happened('startFailed')).toEqual([]);
    expect(replica.happened('ended')).toMatchObject([{ reason: 'stopped' }]);
    expect(cluster.server.owners().size).toBe(0);
  });

  test('that never settles blocks no other connection, and its own only for a time', async () => {
    cluster = new Cluster(4);
    let hung: string | undefined;
    const [a, b] = [0, 1].map(() => cluster.replica({
      maxConcurrentStarts: 1, provisionTimeoutMs: 2_000, stopTimeoutMs: 1_000,
      provision: async ({ id }) => {
        if (id !== 'c0000' || hung !== undefined) return;
        hung = id;
        await new Promise(() => undefined);
      },
    }));
    for (const { runner } of [a!, b!]) runner.start();
    await cluster.clock.advance(40_000);
    expect([...a!.owned, ...b!.owned].toSorted()).toEqual(['c0000', 'c0001', 'c0002', 'c0003']);
  });
});
