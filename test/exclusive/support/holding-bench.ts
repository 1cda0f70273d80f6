import { ManualClock } from 'hydrant/testing';
import { StartGate } from '../../../src/exclusive/gate.js';
import { Hold } from '../../../src/exclusive/hold.js';
import { Holding } from '../../../src/exclusive/holding.js';
import type { HoldingHost } from '../../../src/exclusive/holding-host.js';
import type { Tenure } from '../../../src/exclusive/tenure.js';
import { aborted } from './cluster.js';

export type Row = { id: string; version: string; status: 'active' };
type Host = HoldingHost<Row, string>;

export const serve = async ({ signal }: Tenure<Row, string>): Promise<void> => { await aborted(signal); };

/** Makes holdings of a connection, and plays the runner and the registry around them. */
export class HoldingBench {
  readonly clock = new ManualClock();
  events: [string, any][] = [];
  /** How often a holding said that it is over, and that the registry is closed. */
  over = 0;
  closed = 0;
  others = true;
  /** The record's. */
  version = '1';
  lease = { stale: false, released: 0 };
  gate = new StartGate(8);
  /** The last one that was served. */
  tenure: Tenure<Row, string> | undefined;
  run: (tenure: Tenure<Row, string>) => Promise<void> = serve;
  acquire: () => Promise<unknown> = async () => {
    const { lease, version } = this;
    return {
      instance: 'instance', record: { id: 'a', version, status: 'active' }, signal: new AbortController().signal, retire() {},
      get stale() { return lease.stale; }, release() { lease.released += 1; }, [Symbol.dispose]() {},
    };
  };

  happened(name: string): any[] {
    return this.events.filter(([event]) => event === name).map(([, payload]) => payload);
  }

  holding({ notes, listed, limits, provision }: { notes?: string; listed?: string; limits?: Partial<Host['limits']>; provision?: Host['duties']['provision'] } = {}): Holding<Row, string> {
    const { clock } = this;
    return new Holding<Row, string>({ id: 'a', token: 7n, notes }, new Hold(7n, { monotonic: clock.monotonic(), wall: clock.now() }, 1_000_000, clock), listed, {
      replica: 'r', clock, random: () => 1, gate: this.gate,
      registry: { acquire: () => this.acquire() as never },
      duties: { run: (one) => { this.tenure = one; return this.run(one); }, provision },
      limits: {
        ttlMs: 9_000, stopTimeoutMs: 1_000, provisionTimeoutMs: 2_000, stableAfterMs: 5_000,
        startBackoff: { initialMs: 100, maxMs: 10_000 }, handOverAfterFailures: 3, ...limits,
      },
      emit: (event, payload) => { this.events.push([event, payload]); },
      othersLive: () => this.others, over: () => { this.over += 1; }, registryClosed: () => { this.closed += 1; },
    });
  }
}

/** What the runner sees of a holding. */
export const seen = (one: Holding<Row, string>): unknown[] => [one.state, one.counts, one.renewable];
