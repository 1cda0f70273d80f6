import type { ExclusiveRunnerOptions, RunnerEvents, Tenure } from 'hydrant/exclusive';
import type { ManualClock } from 'hydrant/testing';
import { vi } from 'vitest';
import { Holding } from '../../../src/exclusive/holding.js';
import { readInstant, Validity } from '../../../src/exclusive/validity.js';
import { serve, TestEnvironment, type Row } from './environment.js';

export { serve, type Row };

interface HoldingOptions extends Pick<ExclusiveRunnerOptions<Row, string>, 'provision' | 'startBackoff'> {
  readonly notes?: string;
  readonly listed?: string;
}

/** Makes holdings of a connection, and plays the runner and the registry around them. Delays have their full length. */
export class HoldingBench {
  readonly #environment: TestEnvironment;
  /** How often a holding said that it is over, and that the registry is closed. */
  over = 0;
  closed = 0;
  others = true;
  /** The record's. */
  version = '1';
  lease = { stale: false, released: 0 };
  /** Starts that were let in, in order, with the functions that make room for the next. */
  readonly starts: (() => void)[] = [];
  /** The last tenure that was served. */
  tenure: Tenure<Row, string> | undefined;
  run: (tenure: Tenure<Row, string>) => Promise<void> = serve;
  acquire: () => Promise<unknown> = async () => {
    const { lease, version } = this;
    return {
      instance: 'instance',
      record: { id: 'a', version, status: 'active' },
      signal: new AbortController().signal,
      retire() {},
      get stale() {
        return lease.stale;
      },
      release() {
        lease.released += 1;
      },
      [Symbol.dispose]() {},
    };
  };

  constructor({ maxConcurrentStarts = 8 } = {}) {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const environment = (this.#environment = new TestEnvironment({
      maxConcurrentStarts,
      registry: { acquire: () => this.acquire() as never },
      run: (tenure) => {
        this.tenure = tenure;
        return this.run(tenure);
      },
      stopTimeoutMs: 1_000,
      provisionTimeoutMs: 2_000,
      startBackoff: { initialMs: 100, maxMs: 10_000 },
      handOverAfterFailures: 3,
    }));
    Object.defineProperty(environment.roster, 'othersLive', { get: () => this.others });
    const queueStart = environment.queueStart.bind(environment);
    environment.queueStart = (begin) =>
      queueStart((startDone) => {
        this.starts.push(startDone);
        begin(startDone);
      });
  }

  get clock(): ManualClock {
    return this.#environment.clock;
  }

  get events(): TestEnvironment['events'] {
    return this.#environment.events;
  }

  happened(event: keyof RunnerEvents): any[] {
    return this.#environment.happened(event);
  }

  holding({ notes, listed, provision, startBackoff = this.#environment.options.startBackoff }: HoldingOptions = {}): Holding<
    Row,
    string
  > {
    const { clock } = this;
    // Prototypes: everything but the options of this one holding is shared.
    const environment = Object.create(this.#environment, {
      options: { value: { ...this.#environment.options, startBackoff, provision } },
    }) as TestEnvironment;
    return new Holding<Row, string>(
      environment,
      { id: 'a', token: 7n, notes },
      new Validity(7n, readInstant(clock), 1_000_000, clock),
      listed,
      {
        countChanged: () => {},
        over: () => {
          this.over += 1;
        },
        registryClosed: () => {
          this.closed += 1;
        },
      },
    );
  }
}

/** A holding as the runner sees it. */
export const seen = (one: Holding<Row, string>, clock: ManualClock): object =>
  ({ state: one.state, counts: one.counts, renewable: one.renewableAt(readInstant(clock)) });
