import { MemoryClaims, type ClaimHint } from 'hydrant/exclusive';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Cluster, type Replica } from '../exclusive/support/cluster.js';

/** Anyone who may publish on the channel of releases can say that a living replica has left. */
describe('a client that repeats that every replica has left', () => {
  let cluster: Cluster;
  let heard: Set<(hint: ClaimHint) => void>;
  let asked: number;
  const loads = (): number[] => cluster.replicas.map(({ owned }) => owned.length);

  async function started(): Promise<Replica> {
    const claims = new MemoryClaims({
      server: cluster.server,
      intercept: (call, carryOut) => {
        if (call === 'claim') asked += 1;
        return carryOut();
      },
    });
    return cluster.started({
      claims: {
        renew: (request) => claims.renew(request),
        claim: (request) => claims.claim(request),
        release: (request) => claims.release(request),
        watch: async (listener) => {
          heard.add(listener);
          return claims.watch(listener);
        },
      },
    });
  }

  async function lie(forMs: number, left: boolean): Promise<void> {
    for (let ms = 0; ms < forMs; ms += 100) {
      for (const { runner: { replica } } of cluster.replicas) for (const hear of heard) hear({ from: replica, left });
      for (const hear of heard) hear({ from: 'r1', left });
      await cluster.clock.advance(100);
    }
  }

  beforeEach(() => {
    cluster = new Cluster(30);
    heard = new Set();
    asked = 0;
  });
  afterEach(async () => {
    await cluster.close();
    vi.restoreAllMocks();
  });

  test('does not stop a replica that joins from getting its share', async () => {
    for (let n = 0; n < 3; n += 1) await started();
    await cluster.clock.advance(30_000);
    expect(loads()).toEqual([10, 10, 10]);
    await started();
    await lie(20_000, true);
    expect(loads()).toEqual([8, 8, 7, 7]);
  });

  test('causes as few claim queries as a hint of a release', async () => {
    for (let n = 0; n < 3; n += 1) await started();
    await cluster.clock.advance(30_000);
    const queriesWhile = async (left: boolean): Promise<number> => {
      const before = asked;
      await lie(27_000, left);
      return asked - before;
    };
    const harmless = await queriesWhile(false);
    const allowanceOfOneTick = 8 + 5;
    expect(await queriesWhile(true)).toBeLessThanOrEqual(harmless + 3 * allowanceOfOneTick);
    expect(loads()).toEqual([10, 10, 10]);
  });
});
