import { ConnectionRegistry, MemoryStore, type ConnectionStatus } from 'hydrant';
import {
  ExclusiveRunner, MemoryClaims, MemoryClaimServer, type ClaimCall, type ExclusiveRunnerOptions, type RunnerEvents, type Tenure,
} from 'hydrant/exclusive';
import { ManualClock } from 'hydrant/testing';
import { vi } from 'vitest';

export interface Bot { readonly id: string; readonly name: string; sent: string[] }
export interface Data { readonly id: string; readonly name: string; readonly status?: ConnectionStatus }
export type Row = Awaited<ReturnType<MemoryStore<Data>['put']>>;

export interface Event { readonly event: keyof RunnerEvents; readonly payload: unknown }
export type Fault = (call: ClaimCall, carryOut: () => unknown) => unknown;

type Options = Partial<ExclusiveRunnerOptions<Row, Bot>> & { readonly name?: string; readonly clock?: ManualClock };

/** One replica of a {@link Cluster}: a registry, a runner and a log of what they did. */
export class Replica {
  readonly clock: ManualClock;
  readonly registry: ConnectionRegistry<Row, Bot>;
  readonly runner: ExclusiveRunner<Row, Bot>;
  /** Tenures whose `run` has not returned. */
  readonly running = new Map<string, Tenure<Row, Bot>>();
  readonly events: Event[] = [];
  readonly calls: ClaimCall[] = [];
  readonly hydrationFailures: string[] = [];
  /** Replaces calls to the claim store. They are carried out if it is not set. */
  fault: Fault | undefined;
  /** The work of `run` before it waits for its signal. */
  work: (tenure: Tenure<Row, Bot>) => Promise<void> = async () => undefined;

  constructor(cluster: Cluster, { name = 'replica', clock = cluster.clock, ...options }: Options) {
    this.clock = clock;
    this.registry = new ConnectionRegistry<Row, Bot>({
      store: cluster.store, clock, sweepIntervalMs: 0,
      factory: { create: (row) => cluster.create(row) },
    });
    this.registry.on('hydrationFailed', ({ error }) => { this.hydrationFailures.push(error.code); });
    const claims = new MemoryClaims({
      server: cluster.server,
      intercept: (call, carryOut) => {
        this.calls.push(call);
        return this.fault === undefined ? carryOut() : this.fault(call, carryOut) as never;
      },
    });
    this.runner = new ExclusiveRunner<Row, Bot>({
      registry: this.registry, claims, clock, replicaName: name, ttlMs: 9_000,
      list: () => cluster.store.list(),
      run: (tenure) => this.#run(tenure),
      ...options,
    });
    for (const event of [
      'started',
      'ended',
      'startFailed',
      'provisioned',
      'stopUnproven',
      'claimsFailed',
      'listFailed',
    ] as const) {
      this.runner.on(event, (payload) => {
        this.events.push({ event, payload });
      });
    }
  }

  async #run(tenure: Tenure<Row, Bot>): Promise<void> {
    this.running.set(tenure.id, tenure);
    try {
      await this.work(tenure);
      await aborted(tenure.signal);
    } finally {
      this.running.delete(tenure.id);
    }
  }

  /** Holds back the first call of this kind until the function that is returned sends it on to the claim store. */
  holdFirst(held: ClaimCall): () => void {
    let letGo: (() => void) | undefined;
    this.fault = (call, carryOut) => {
      if (call !== held || letGo !== undefined) return carryOut();
      return new Promise((resolve) => { letGo = () => resolve(carryOut()); });
    };
    return () => {
      if (letGo === undefined) throw new Error(`there was no ${held} to hold back`);
      letGo();
    };
  }

  /** Lets the first call of this kind fail before it reaches the claim store. Counts how many have failed. */
  failFirst(failing: ClaimCall): { readonly count: number } {
    const failed = { count: 0 };
    this.fault = (call, carryOut) => {
      if (call !== failing || failed.count > 0) return carryOut();
      failed.count += 1;
      throw new Error('connection reset');
    };
    return failed;
  }

  get owned(): string[] {
    return [...this.running.keys()].toSorted();
  }

  happened<E extends keyof RunnerEvents>(event: E): RunnerEvents[E][] {
    return this.events.filter((entry) => entry.event === event).map(({ payload }) => payload as RunnerEvents[E]);
  }
}

/** Replicas in one process, over one claim server and one store. TTL 9 s, tick 1 s, margin 1.5 s, hardly any jitter. */
export class Cluster {
  readonly clock: ManualClock;
  readonly server: MemoryClaimServer;
  readonly store: MemoryStore<Data>;
  readonly replicas: Replica[] = [];
  create: (row: Row) => Bot | Promise<Bot> = (row) => ({ id: row.id, name: row.name, sent: [] });

  constructor(ids: readonly string[] | number, clock = new ManualClock()) {
    vi.spyOn(Math, 'random').mockReturnValue(0.999);
    this.clock = clock;
    this.server = new MemoryClaimServer({ clock });
    this.store = new MemoryStore<Data>((typeof ids === 'number' ? names(ids) : ids).map((id) => ({ id, name: id })));
  }

  replica(options: Options = {}): Replica {
    const replica = new Replica(this, { name: `r${this.replicas.length}`, ...options });
    this.replicas.push(replica);
    return replica;
  }

  /** A replica that has started and taken its connections. */
  async started(options: Options = {}): Promise<Replica> {
    const replica = this.replica(options);
    replica.runner.start();
    await this.clock.advance(2_100);
    return replica;
  }

  /** A replica that is not a member keeps `id`, so the others lack it. */
  keep(id: string, ms: number): void {
    this.server.claim({ replica: 'ghost', ttlMs: ms, ids: [id], limit: 1, freeForMs: 0 });
  }

  /** A hint that there is something to take, though there is not. */
  hint(): void {
    const [claim] = this.server.claim({ replica: 'elsewhere', ttlMs: 1_000, ids: ['not listed'], limit: 1, freeForMs: 0 });
    this.server.release({ replica: 'elsewhere', claims: [claim!], leave: false });
  }

  async close(): Promise<void> {
    const stopped = Promise.all(this.replicas.map(({ runner }) => runner.stop()));
    for (const clock of new Set([this.clock, ...this.replicas.map((replica) => replica.clock)])) await clock.advance(60_000);
    await stopped;
  }
}

export const names = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `c${String(index).padStart(4, '0')}`);

export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Makes `run` take this long to stop. */
export function slowToStop(replica: Replica, ms: number): void {
  replica.work = async (tenure) => {
    await aborted(tenure.signal);
    await new Promise<void>((resolve) => { replica.clock.setTimeout(resolve, ms, { ref: true }); });
  };
}
