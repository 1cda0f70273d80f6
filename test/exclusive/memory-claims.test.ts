import { describe, expect, test } from 'vitest';
import { MemoryClaims, MemoryClaimServer } from 'hydrant/exclusive';
import { claimConformance, ManualClock } from 'hydrant/testing';

claimConformance({ describe, it: test }, (settings) => {
  const clock = new ManualClock();
  const server = new MemoryClaimServer({ clock, ...settings });
  const [claims, others] = [new MemoryClaims({ server }), new MemoryClaims({ server })];
  return { claims, others, wait: (ms) => clock.advance(ms), rows: () => server.rows };
}, { watch: true, forgets: true });

describe('MemoryClaims', () => {
  test('tell of releases until the watch is disposed of', async () => {
    const server = new MemoryClaimServer({ clock: new ManualClock() });
    const claims = new MemoryClaims({ server });
    let hints = 0;
    const watch = await claims.watch(() => { hints += 1; });
    const release = async (): Promise<void> => {
      const taken = await claims.claim({ replica: 'a', ttlMs: 1_000, ids: ['c1'], limit: 1, freeForMs: 0 });
      await claims.release({ replica: 'a', claims: taken, leave: false });
    };
    await release();
    expect(hints).toBe(1);
    await watch[Symbol.asyncDispose]();
    await release();
    expect(hints).toBe(1);
  });

  test('lets a test drop a request or an answer', async () => {
    const server = new MemoryClaimServer({ clock: new ManualClock() });
    let fault: 'request' | 'answer' | undefined = 'request';
    const claims = new MemoryClaims({
      server,
      intercept: (_call, carryOut) => {
        if (fault === 'request') throw new Error('lost on the way there');
        const answer = carryOut();
        if (fault === 'answer') throw new Error('lost on the way back');
        return answer;
      },
    });
    const request = { replica: 'a', ttlMs: 1_000, ids: ['c1'], limit: 1, freeForMs: 0 };
    await expect(claims.claim(request)).rejects.toThrow('lost on the way there');
    expect(server.owners().size).toBe(0);
    fault = 'answer';
    await expect(claims.claim(request)).rejects.toThrow('lost on the way back');
    expect(server.owners().get('c1')).toEqual({ owner: 'a', token: 1n });
    fault = undefined;
    expect(await claims.claim(request)).toEqual([]);
  });
});
