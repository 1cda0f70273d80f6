import { afterEach, describe, expect, test } from 'vitest';
import { isConnectionError } from 'hydrant';
import type { Tenure } from 'hydrant/exclusive';
import { ManualClock } from 'hydrant/testing';
import { Cluster, type Bot, type Row } from './support/cluster.js';

let cluster: Cluster;
afterEach(() => cluster.close());

function held(tenure: { assertHeld(): void }): boolean {
  try {
    tenure.assertHeld();
    return true;
  } catch {
    return false;
  }
}

/** The owner of one connection, on a clock of its own: it can be paused while the rest of the world goes on. */
async function startedOnOwnClock(clock = new ManualClock()): Promise<{ clock: ManualClock; tenure: Tenure<Row, Bot> }> {
  cluster = new Cluster(1);
  const replica = cluster.replica({ clock });
  replica.runner.start();
  await clock.advance(2_100);
  return { clock, tenure: replica.running.get('c0000')! };
}

describe('G14 exclusive', () => {
  test('at most one valid tenure per connection, and the token of the next owner is higher', async () => {
    cluster = new Cluster(20);
    const tokens = new Map<string, bigint>();
    const check = (): void => {
      for (const replica of cluster.replicas) {
        for (const [id, tenure] of replica.running) {
          if (!held(tenure)) continue;
          const others = cluster.replicas.filter(
            (other) => other !== replica && other.running.has(id) && held(other.running.get(id)!),
          );
          expect(others, `two owners of ${id}`).toEqual([]);
          expect(tenure.token).toBeGreaterThanOrEqual(tokens.get(id) ?? 0n);
          tokens.set(id, tenure.token);
        }
      }
    };
    const [a, b, c] = [await cluster.started(), await cluster.started(), await cluster.started()];
    for (let step = 0; step < 300; step += 1) {
      if (step === 40) a.fault = () => { throw new Error('down'); };
      if (step === 120) a.fault = undefined;
      if (step === 150) void b.runner.stop();
      if (step === 200) c.fault = (_call, carryOut) => { carryOut(); throw new Error('answer lost'); };
      if (step === 250) c.fault = undefined;
      await cluster.clock.advance(250);
      check();
    }
  });

  test("a running owner's signal aborts before its claim can be taken over", async () => {
    cluster = new Cluster(1);
    const owner = await cluster.started();
    const tenure = owner.running.get('c0000')!;
    let abortedAt: number | undefined;
    tenure.signal.addEventListener('abort', () => { abortedAt = cluster.clock.monotonic(); });
    const heir = cluster.replica();
    heir.runner.start();
    await cluster.clock.advance(5_000);
    const victim = tenure.signal.aborted ? heir : owner;
    const next = victim === owner ? heir : owner;
    const doomed = victim.running.get('c0000')!;
    doomed.signal.addEventListener('abort', () => { abortedAt = cluster.clock.monotonic(); });
    victim.fault = () => new Promise(() => undefined);
    while (next.owned.length === 0) await cluster.clock.advance(100);
    expect(abortedAt).toBeLessThan(cluster.clock.monotonic() - 1_100);
    victim.fault = undefined;
  });

  test("a paused owner's signal aborts as soon as its event loop runs, and assertHeld throws even before", async () => {
    const { clock, tenure } = await startedOnOwnClock();
    expect(() => tenure.assertHeld()).not.toThrow();
    // SIGCONT after SIGSTOP: time has passed, and no timer has fired yet.
    clock.jumpWall(20_000);
    expect(tenure.signal.aborted).toBe(false);
    expect(() => tenure.assertHeld()).toThrow(expect.objectContaining({ code: 'CLAIM_LOST' }));
    expect(tenure.signal.aborted, 'whoever asks first aborts it').toBe(true);
    await clock.advance(60_000);
  });

  test('assertHeld throws after a machine has slept, even if its wall clock was set back within the same hold', async () => {
    const { clock, tenure } = await startedOnOwnClock();
    clock.sleep(20_000);
    clock.jumpWall(-20_000);
    await cluster.clock.advance(20_000);
    const heir = await cluster.started();
    await cluster.clock.advance(10_000);
    expect(heir.owned).toEqual(['c0000']);
    expect(() => tenure.assertHeld()).toThrow(expect.objectContaining({ code: 'CLAIM_LOST' }));
    await clock.advance(60_000);
  });

  test('with a clock without uptime, the same sleep goes unnoticed until the next renewal (documented)', async () => {
    const { clock, tenure } = await startedOnOwnClock(Object.assign(new ManualClock(), { uptime: undefined as never }));
    clock.sleep(20_000);
    clock.jumpWall(-20_000);
    await cluster.clock.advance(20_000);
    expect(() => tenure.assertHeld()).not.toThrow();
    await clock.advance(1_000);
    expect(() => tenure.assertHeld()).toThrow(expect.objectContaining({ code: 'CLAIM_LOST' }));
    await clock.advance(60_000);
  });

  test('the first tick after a pause aborts expired tenures before it renews anything', async () => {
    cluster = new Cluster(3);
    const clock = new ManualClock();
    const paused = cluster.replica({ clock });
    paused.runner.start();
    await clock.advance(2_100);
    const tenures = [...paused.running.values()];
    clock.jumpWall(20_000);
    paused.calls.length = 0;
    await clock.advance(1_000);
    expect(tenures.every(({ signal }) => isConnectionError(signal.reason, 'CLAIM_LOST'))).toBe(true);
    await clock.advance(60_000);
  });

  test('a claim whose answer comes after it has expired is released, and nothing starts under it', async () => {
    cluster = new Cluster(1);
    const clock = new ManualClock();
    const replica = cluster.replica({ clock });
    let answer: (() => void) | undefined;
    replica.fault = (call, carryOut) => {
      const answered = carryOut();
      if (call !== 'claim' || answer !== undefined) return answered;
      return new Promise((resolve) => { answer = () => resolve(answered); });
    };
    replica.runner.start();
    await clock.advance(1_500);
    clock.jumpWall(20_000);
    answer!();
    await clock.advance(5_000);
    expect(replica.happened('started').map(({ token }) => token)).toEqual([2n]);
    await clock.advance(60_000);
  });

  test('a use that begins after the deadline is refused', async () => {
    const { clock, tenure } = await startedOnOwnClock();
    expect(await tenure.use((bot) => bot.name)).toBe('c0000');
    clock.jumpWall(20_000);
    await expect(tenure.use((bot) => bot.name)).rejects.toMatchObject({ code: 'CLAIM_LOST', connectionId: 'c0000' });
    await clock.advance(60_000);
  });

  test('a wall clock that jumps ahead causes a restart under a new token, one that is set back has no effect', async () => {
    cluster = new Cluster(1);
    const replica = await cluster.started();
    cluster.clock.jumpWall(-3_600_000);
    await cluster.clock.advance(5_000);
    expect(replica.happened('ended')).toEqual([]);
    cluster.clock.jumpWall(3_600_000);
    await cluster.clock.advance(3_000);
    expect(replica.happened('ended')).toEqual([{ id: 'c0000', token: 1n, reason: 'expired' }]);
    expect(replica.running.get('c0000')!.token).toBeGreaterThan(1n);
  });

  test('a replica that is not the owner can still use the connection', async () => {
    cluster = new Cluster(2);
    const [a, b] = [await cluster.started(), await cluster.started()];
    await cluster.clock.advance(10_000);
    const [id] = a.owned;
    expect(b.owned).not.toContain(id);
    const sent = await b.registry.use(id!, (bot) => { bot.sent.push('hello'); return bot.sent; });
    expect(sent).toEqual(['hello']);
    await cluster.clock.advance(10_000);
    expect(a.owned).toEqual([id]);
    expect(b.owned).not.toContain(id);
  });
});
