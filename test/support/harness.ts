import {
  ConnectionRegistry,
  type Awaitable,
  type ConnectionStore,
  type DisposeReason,
  type HydrationContext,
  type InstanceFactory,
  type RegistryTuning,
} from 'hydrant';
import { ManualClock } from 'hydrant/testing';
import { deferred, type Deferred } from './deferred.js';
import { GivenHints } from './given-hints.js';

/** The events that tests listen to. */
export const EVENTS = [
  'hydrated', 'hydrationFailed', 'disposed', 'disposeFailed', 'retired', 'webhookFailed', 'storeFailed', 'thrashing',
] as const;

export interface Row {
  readonly id: string;
  readonly version: string;
  readonly status: 'active' | 'stopped';
  readonly token: string;
}

/** A live instance that records its dispose. */
export interface Instance {
  readonly name: string;
  readonly row: Row;
  disposed: DisposeReason | undefined;
}

/** Rows in memory, and reads that can be held back, failed and counted. */
export class Rows implements ConnectionStore<Row> {
  readonly rows = new Map<string, Row>();
  readonly reads: string[] = [];
  /** While set, reads wait. Each then answers with the row as it was when the read was *sent*. */
  held: Deferred<void>[] | undefined;
  failure: unknown;
  #version = 0;

  put(id: string, fields: Partial<Row> = {}): Row {
    this.#version += 1;
    const row: Row = { id, status: 'active', token: `t${this.#version}`, version: `v${this.#version}`, ...fields };
    this.rows.set(id, row);
    return row;
  }

  stop(id: string): Row {
    return this.put(id, { status: 'stopped' });
  }

  delete(id: string): void {
    this.rows.delete(id);
  }

  /** From now on reads wait until `letGo` or `letAllGo`. */
  hold(): void {
    this.held = [];
  }

  letGo(): void {
    const waiting = this.held?.shift();
    if (waiting === undefined) throw new Error('no read is waiting');
    waiting.resolve();
  }

  letAllGo(): void {
    const waiting = this.held ?? [];
    this.held = undefined;
    for (const one of waiting) one.resolve();
  }

  async get(id: string): Promise<Row | undefined> {
    this.reads.push(id);
    const seen = this.rows.get(id);
    if (this.failure !== undefined) throw this.failure;
    if (this.held !== undefined) {
      const gate = deferred();
      this.held.push(gate);
      await gate.promise;
    }
    return seen;
  }
}

export interface HarnessOptions extends RegistryTuning {
  store?: ConnectionStore<Row>;
  around?: <T>(row: Row, work: () => T) => T;
  factory?: Partial<InstanceFactory<Row, Instance>>;
}

/** Rows whose versions can be read alone. */
export class VersionedRows extends Rows {
  versionQueries: (readonly string[])[] = [];

  async getVersions(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    this.versionQueries.push(ids);
    return new Map(ids.flatMap((id) => { const row = this.rows.get(id); return row === undefined ? [] : [[id, row.version]]; }));
  }
}

/** Rows that can be read in batches, too. */
export class BatchedRows extends VersionedRows {
  rowQueries: (readonly string[])[] = [];

  async getMany(ids: readonly string[]): Promise<ReadonlyMap<string, Row>> {
    this.rowQueries.push(ids);
    return new Map(ids.flatMap((id) => { const row = this.rows.get(id); return row === undefined ? [] : [[id, row]]; }));
  }
}

/** Rows whose hints a test gives by hand. */
export class WatchedRows extends Rows {
  readonly hints = new GivenHints();
  readonly watch = this.hints.watch;
}

/** A registry on a manual clock over rows in memory, with a factory that logs its calls. */
export class Harness {
  readonly clock = new ManualClock();
  readonly rows = new Rows();
  readonly log: string[] = [];
  readonly instances: Instance[] = [];
  readonly contexts: HydrationContext[] = [];
  readonly registry: ConnectionRegistry<Row, Instance>;
  readonly events: { event: string; payload: any }[] = [];
  /** Gates of `create`, in the order of its calls. */
  readonly creating: (Deferred<void> | undefined)[] = [];
  readonly disposing: (Deferred<void> | undefined)[] = [];
  creates = 0;
  disposes = 0;

  constructor({ store, factory, ...tuning }: HarnessOptions = {}) {
    this.registry = new ConnectionRegistry<Row, Instance>({
      clock: this.clock,
      ...tuning,
      store: store ?? this.rows,
      factory: {
        create: (record, context) => this.create(record, context),
        dispose: (instance, { reason }) => this.dispose(instance, reason),
        ...factory,
      } as InstanceFactory<Row, Instance>,
    });
    for (const event of EVENTS) {
      this.registry.on(event, (payload) => {
        this.events.push({ event, payload });
      });
    }
  }

  create = (row: Row, context: HydrationContext): Awaitable<Instance> => {
    const index = this.creates;
    this.creates += 1;
    this.contexts[index] = context;
    this.log.push(`create ${row.id}@${row.version}`);
    const gate = this.creating[index];
    const make = (): Instance => {
      const instance: Instance = { name: `${row.id}@${row.version}#${index}`, row, disposed: undefined };
      this.instances.push(instance);
      return instance;
    };
    return gate === undefined ? make() : gate.promise.then(make);
  };

  dispose = (instance: Instance, reason: DisposeReason): Awaitable<void> => {
    if (instance.disposed !== undefined)
      throw new Error(`${instance.name} was disposed of twice: ${instance.disposed}, ${reason}`);
    instance.disposed = reason;
    const index = this.disposes;
    this.disposes += 1;
    this.log.push(`dispose ${instance.row.id}@${instance.row.version} ${reason}`);
    return this.disposing[index]?.promise;
  };

  /** The next `create` waits until the test settles it. */
  holdCreate(index = this.creates): Deferred<void> {
    return this.creating[index] = deferred();
  }

  holdDispose(index = this.disposes): Deferred<void> {
    return this.disposing[index] = deferred();
  }

  /** A live instance of `a`, an edit of its row, and a use that waits for the successor, whose `create` is held. */
  async edited(): Promise<{ first: Instance; gate: Deferred<void>; use: Promise<Instance> }> {
    this.rows.put('a');
    const first = await this.registry.use('a', (instance) => instance);
    this.rows.put('a');
    const gate = this.holdCreate();
    const use = this.registry.use('a', (instance) => instance);
    await this.settle();
    return { first, gate, use };
  }

  /** Lets everything that is ready happen. */
  async settle(): Promise<void> {
    await this.clock.advance(0);
  }

  eventsOf(event: string): any[] {
    return this.events.filter((one) => one.event === event).map((one) => one.payload);
  }
}
