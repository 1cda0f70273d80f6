import { describe, expect, test } from 'vitest';
import { control, shortChaos, silence, type ChaosKind, type ChaosOptions, type ShortReport } from './chaos/short.mjs';

/** The process that stops, the server, the one that takes over, the server again, the provider. */
const HOPS = 5;

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;

/** The short chaos run on one kind of server, and what must come of it. */
export function chaosTests(kind: ChaosKind, url: () => string, clients: ChaosOptions['clients'] = 'documented'): void {
  describe(`exclusive runners in chaos, on ${kind} with ${clients} clients`, () => {
    let report: ShortReport;

    test('come through: everything is owned and even again after each fault', async () => {
      report = await shortChaos({ kind, url: url(), clients });
      expect(report.faults).toHaveLength(4);
    }, 120_000);

    test('never had a poll accepted after a newer token was seen', () => {
      expect(report.stale).toEqual([]);
      expect(report.faults.every(({ polls }) => polls > 0)).toBe(true);
    });

    test('took over what a killed replica had within 1.25 TTL', () => {
      expect(report.killTakeoversTtl).toHaveLength(40);
      expect(report.killTakeoversTtl.at(-1)).toBeLessThanOrEqual(1.25);
    });

    test('took over what a stopping replica had within 250 ms at p99', () => {
      expect(report.stopTakeoversMs.length).toBeGreaterThanOrEqual(5 * 40 - 10);
      const [p50, p90, p99] = [0.5, 0.9, 0.99].map((share) => at(report.stopTakeoversMs, share)) as [number, number, number];
      process.stdout.write(
        `${kind} takeover after SIGTERM: p50 ${p50.toFixed(0)} ms, p90 ${p90.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, `
          + `scheduling lag of the machine ${report.lagMs.toFixed(0)} ms\n`,
      );
      // Delays of the machine are subtracted: a message passes five processes, each of which may wait for its turn.
      expect(p99 - HOPS * report.lagMs).toBeLessThanOrEqual(250);
    });

    test('sent at most 3 claim queries per replica and tick', () => {
      for (const count of report.queriesPerTick) expect(count).toBeLessThanOrEqual(3);
    });

  });
}

/** Hosts are lost and NATs forget, and nobody resets the connection. */
export function silenceTest(kind: ChaosKind, url: () => string): void {
  test(`on ${kind} with documented clients, every replica recovers within 3 TTL after all connections fell silent`, async () => {
    const { faults, stale } = await silence({ kind, url: url() });
    for (const { silenced, answering, polling, replicas } of faults) {
      expect(silenced, 'connections that went silent').toBeGreaterThanOrEqual(Number(replicas));
      expect({ answering, polling }).toEqual({ answering: replicas, polling: replicas });
    }
    expect(stale).toEqual([]);
  }, 120_000);
}

/** The harness must see the faults it looks for. */
export function controlTest(kind: ChaosKind, url: () => string): void {
  test('the plain heartbeat loop does not come through: the harness sees its stale polls', async () => {
    const stale = await control({ kind, url: url() });
    process.stdout.write(
      `${kind} control, stale polls: paused ${stale.paused}, blocked ${stale.blocked}, unreachable ${stale.unreachable}\n`,
    );
    expect(stale.paused + stale.blocked).toBeGreaterThan(0);
    expect(stale.unreachable).toBeGreaterThan(0);
  }, 60_000);
}
