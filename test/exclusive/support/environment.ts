import type { ExclusiveRunnerOptions, RunnerEvents, Tenure } from 'hydrant/exclusive';
import { ManualClock } from 'hydrant/testing';
import { RunnerEnvironment } from '../../../src/exclusive/environment.js';
import { resolveRunnerOptions, type ResolvedRunnerOptions } from '../../../src/exclusive/options.js';
import { aborted } from './cluster.js';

export type Row = { id: string; version: string; status: 'active' };

export const serve = async ({ signal }: Tenure<Row, string>): Promise<void> => { await aborted(signal); };

/** An environment on a manual clock that keeps every event. TTL 9 s, tick 1 s, margin 1.5 s. */
export class TestEnvironment extends RunnerEnvironment<Row, string> {
  declare readonly clock: ManualClock;
  readonly events: { event: keyof RunnerEvents; payload: any }[] = [];

  constructor(
    options: Partial<ExclusiveRunnerOptions<Row, string>> = {},
    internals: Partial<ResolvedRunnerOptions<Row, string>> = {},
  ) {
    const resolved = resolveRunnerOptions<Row, string>({
      registry: {
        acquire: () => {
          throw new Error('no registry');
        },
      },
      claims: { renew: never, claim: never, release: never },
      list: () => [],
      run: serve,
      ttlMs: 9_000,
      clock: new ManualClock(),
      ...options,
    });
    super('r', { ...resolved, ...internals });
    this.state = 'running';
  }

  override emit<E extends keyof RunnerEvents>(event: E, payload: RunnerEvents[E]): void {
    this.events.push({ event, payload });
  }

  happened(event: keyof RunnerEvents): any[] {
    return this.events.filter((entry) => entry.event === event).map(({ payload }) => payload);
  }
}

const never = (): never => { throw new Error('no claim store'); };

/** Waits until everything that is ready has run. */
export const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });
