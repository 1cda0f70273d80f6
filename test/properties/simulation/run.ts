import {
  factoryByPlatform,
  type ConnectionRegistry,
  type InstanceFactory,
  type RegistryEvents,
  type StandardSchemaV1,
} from 'hydrant';
import { Callers, type Registry } from './callers.js';
import { SimulatedFactory, type Handle } from './factory.js';
import { Flow } from './flow.js';
import { Model } from './model.js';
import type { Row } from './observed.js';
import type { Operation, Program, Settings } from './program.js';
import { SimulatedStore } from './store.js';
import { SimulatedWebhooks } from './webhooks.js';
import { World, type Pending, type Violation } from './world.js';

/** The registry that is put to the test: the one of this checkout, or a mutant of it. */
export type RegistryClass = typeof ConnectionRegistry;

export interface Outcome {
  readonly violation: Violation | undefined;
  readonly trace: readonly string[];
  readonly steps: number;
  readonly world: World;
}

const EVENTS: readonly (keyof RegistryEvents)[] = [
  'hydrated',
  'hydrationFailed',
  'disposed',
  'disposeFailed',
  'retired',
  'webhookFailed',
  'storeFailed',
  'thrashing',
];

/** Settled by the world outside, not by a caller that holds an instance. */
const BACKEND: ReadonlySet<Pending['kind']> = new Set(['read', 'create', 'dispose', 'cleanUp', 'secrets', 'watch']);

/** Runs a program from its first step to `close` and beyond, and stops at the first violation. */
export async function run(program: Program, Registry: RegistryClass, options: { trace?: boolean } = {}): Promise<Outcome> {
  // In a microtask from the start: outside of one, ticks would run before the microtasks that they are to follow.
  await undefined;
  const running = new Run(program, Registry, options.trace ?? false);
  const rejected = (reason: unknown): void =>
    running.world.violate('promises', `a rejection was left unhandled: ${String(reason)}`);
  process.on('unhandledRejection', rejected);
  try {
    await running.all();
    // Rejections are noticed when the queue of ticks is empty.
    await new Promise<void>((resolve) => running.realTurn(resolve));
  } finally {
    process.off('unhandledRejection', rejected);
    running.flow.restore();
  }
  const { world } = running;
  return { violation: world.violations[0], trace: world.trace ?? [], steps: running.steps, world };
}

class Run {
  readonly world: World;
  readonly flow: Flow;
  readonly realTurn = setImmediate;
  steps = 0;
  readonly #model: Model;
  readonly #store: SimulatedStore;
  readonly #registry: Registry;
  readonly #callers: Callers;
  readonly #webhooks: SimulatedWebhooks;
  readonly #program: Program;

  constructor(program: Program, Registry: RegistryClass, trace: boolean) {
    this.#program = program;
    this.world = new World(program);
    if (trace) this.world.trace = [];
    this.#model = new Model(this.world);
    this.flow = new Flow(this.world, this.#model, program.seed);
    this.#store = new SimulatedStore(this.world, this.#model);
    const factory = new SimulatedFactory(this.world, this.#model);
    this.#webhooks = new SimulatedWebhooks(this.world, this.#model, factory, this.flow);
    const { settings } = program;
    const hooked = { ...factory.factory, ...this.#webhooks.hooks } as InstanceFactory<Row, Handle>;
    const platforms: Record<'even' | 'odd', InstanceFactory<any, Handle>> = { even: hooked, odd: { ...hooked } };
    const options = {
      store: this.#store.store,
      factory: settings.factory.platforms === 1 ? hooked : factoryByPlatform('platform', platforms),
      ...(settings.around && { around: factory.around }),
      ...registryOptions(program),
      webhook: this.#webhooks.options,
      clock: this.world.clock,
    };
    this.#registry = settings.brokenRows.startsWith('schema')
      ? new Registry({ ...options, recordSchema: schemaOf(settings) })
      : new Registry(options);
    this.#callers = new Callers(this.world, this.#model, this.#registry);
    this.#webhooks.serveWith(this.#registry, this.#callers);
    for (const event of EVENTS) this.#registry.on(event, (payload) => this.#model.told(event, payload));
  }

  async all(): Promise<void> {
    for (const { op, hops } of this.#program.steps) {
      this.steps++;
      await this.#perform(op);
      if (hops === 'all') await this.flow.rest();
      else await this.flow.hop(hops);
      this.#model.looked();
      if (this.world.violations.length > 0) return;
    }
    await this.#end();
  }

  async #perform(op: Operation): Promise<void> {
    try {
      await this.#do(op);
    } catch (error) {
      this.world.violate('throws', `${op.do} threw ${error instanceof Error ? error.stack : String(error)}`);
    }
  }

  #do(op: Operation): Promise<void> | undefined {
    const { world } = this;
    switch (op.do) {
      case 'use': void this.#callers.use(op); break;
      case 'useAll': this.#useAll(); break;
      case 'acquire': this.#callers.acquire(op); break;
      case 'tryAcquire': this.#callers.tryAcquire(`c${op.id}`); break;
      case 'release': this.#callers.releaseAcquired(op.pick); break;
      case 'retireLease': this.#callers.retireHeld(op.pick); break;
      case 'retireInstance': this.#retireInstance(op.pick); break;
      case 'abort': this.#callers.abort(op.pick); break;
      case 'disconnect': this.#webhooks.disconnect(op.pick); break;
      case 'cancelBody': this.#webhooks.cancel(op.pick); break;
      case 'edit': case 'stop': case 'delete': case 'breakRow': this.#store[op.do](`c${op.id}`); break;
      case 'invalidate': this.#invalidate(`c${op.id}`); break;
      case 'hint': this.#store.hint(`c${op.id}`); break;
      case 'gap': this.#store.gap(); break;
      case 'settle': world.settle(op.pick, op.fail); break;
      case 'advance': return this.flow.pass(op.ms, op.blocked);
      case 'nextTimer': return this.flow.pass(Math.max(0, (world.clock.nextDue ?? 0) - world.clock.monotonic()));
      case 'webhook': this.#webhooks.send(op); break;
      case 'calm': return this.#calm(op.ms);
      case 'close': this.#close(); break;
    }
    return undefined;
  }

  #useAll(): void {
    const [timeoutMs, freshness, signal, nested] = [undefined, undefined, false, 0];
    for (let id = 0; id < this.world.settings.ids; id++)
      void this.#callers.use({ do: 'use', id, work: 'now', nested, timeoutMs, freshness, signal });
  }

  #retireInstance(pick: number): void {
    const { world } = this;
    const candidates = world.creations.filter(
      (creation) => !creation.failed && creation.retired === undefined && creation.instance?.disposeBegan === undefined,
    );
    const creation = candidates[pick % candidates.length];
    if (creation === undefined) return;
    creation.retired = world.note(`create ${creation.n} reports itself dead`);
    if (creation.instance !== undefined) creation.instance.retired ??= creation.retired;
    creation.retire(new Error('reported itself dead'));
  }

  #invalidate(id: string): void {
    const at = this.world.note(`invalidate ${id}`);
    const earlier = this.world.invalidations.get(id);
    if (earlier === undefined) this.world.invalidations.set(id, [at]);
    else earlier.push(at);
    // By id or by a predicate: the effect is the same if there is a row.
    if (at.seq % 2 === 1) this.world.byPredicate.add(at);
    const ended = at.seq % 2 === 0 ? this.#registry.invalidate(id) : this.#registry.invalidateWhere((row) => row.id === id);
    ended.then(
      () => this.#model.invalidateResolved(id, at),
      (error: unknown) => this.world.violate('invalidate', `its promise rejected: ${String(error)}`),
    );
  }

  #close(): void {
    const { world } = this;
    if (world.closed !== undefined) return;
    const { closeDrainMs } = world.settings;
    const called = world.note(`close (${closeDrainMs} ms)`);
    const closed: NonNullable<World['closed']> = world.closed = { called, deadline: called.t + closeDrainMs };
    this.#registry.close({ drainTimeoutMs: closeDrainMs }).then(
      (report) => {
        closed.resolved = world.note('close has resolved');
        this.#model.closeResolved(report);
        if (this.#registry.state !== 'closed') world.violate('G12', `close resolved and the state is '${this.#registry.state}'`);
      },
      (error: unknown) => world.violate('G12', `close rejected ${String(error)}`),
    );
  }

  /** For this long, everything outside the registry answers at once. */
  async #calm(ms: number): Promise<void> {
    const { world } = this;
    const end = world.clock.monotonic() + ms;
    world.note('calm');
    world.faultless = true;
    world.heal();
    await this.#settleBackend();
    for (
      let due = world.clock.nextDue;
      due !== undefined && due <= end && world.violations.length === 0;
      due = world.clock.nextDue
    ) {
      world.clock.moveTo(due);
      await this.#settleBackend();
    }
    world.clock.moveTo(end);
    await this.#settleBackend();
    const { sweepIntervalMs } = world.settings;
    if (sweepIntervalMs > 0 && ms > 2 * sweepIntervalMs && world.closed === undefined)
      this.#model.swept((id) => this.#store.current(id));
    world.faultless = false;
  }

  async #settleBackend(): Promise<void> {
    await this.flow.rest();
    while (this.world.violations.length === 0 && this.world.settle(0, false, (item) => BACKEND.has(item.kind)))
      await this.flow.rest();
  }

  /** `close`, with the world outside prompt or not answering at all, and what comes late after it. */
  async #end(): Promise<void> {
    const { world } = this;
    world.note(`the end is ${this.#program.ending}`);
    this.#close();
    await this.flow.rest();
    const { closed } = world;
    if (this.#program.ending === 'stubborn') await this.#passTimers(() => closed?.resolved !== undefined);
    world.faultless = true;
    world.heal();
    for (let round = 0; round < 3_000 && world.violations.length === 0; round++) {
      if (world.settle(0, false)) { await this.flow.rest(); continue; }
      if (this.#callers.leases.length > 0) this.#callers.releaseAcquired(0);
      else if (this.#webhooks.cancel(0)) { /* nobody reads it any more */ }
      else if (world.closed?.resolved === undefined && this.#idleAtLast()) {
        world.violate('liveness', 'close waits although nothing is held and nothing is under way');
      } else if (world.clock.nextDue === undefined) break;
      else world.clock.moveTo(world.clock.nextDue);
      await this.flow.rest();
    }
    if (world.violations.length > 0) return;
    this.#model.ended();
    if (world.settings.factory.webhooks !== 'none') await this.#webhooks.takeAllPlaces();
  }

  #idleAtLast(): boolean {
    const { world } = this;
    return (
      world.pending.length === 0
      && world.holds.every((hold) => hold.released)
      && world.demands.every((demand) => demand.state === 'settled')
    );
  }

  async #passTimers(until: () => boolean): Promise<void> {
    const { world } = this;
    for (let round = 0; !until() && world.violations.length === 0 && round < 3_000; round++) {
      const due = world.clock.nextDue;
      if (due === undefined) {
        world.violate('G12', 'close neither resolves nor waits for a timer');
        return;
      }
      world.clock.moveTo(due);
      await this.flow.rest();
    }
  }
}

function schemaOf({ brokenRows }: Settings): StandardSchemaV1<Row, Row> {
  const result = (row: Row) => row.broken ? { issues: [{ message: 'broken' }] } : { value: row };
  const validate = (row: unknown) => brokenRows === 'schemaLater' ? Promise.resolve(result(row as Row)) : result(row as Row);
  return { '~standard': { version: 1, vendor: 'simulation', validate } };
}

function registryOptions({ settings }: Program) {
  return {
    freshness: settings.freshness === 'strict' ? settings.freshness : { maxStaleMs: settings.freshness },
    staleIfErrorMs: settings.staleIfErrorMs,
    storeTimeoutMs: settings.storeTimeoutMs,
    acquireTimeoutMs: settings.acquireTimeoutMs,
    maxInstances: settings.maxInstances,
    eviction: settings.eviction,
    idleTimeoutMs: settings.idleTimeoutMs,
    maxConcurrentHydrations: settings.maxConcurrentHydrations,
    maxQueuedHydrations: settings.maxQueuedHydrations,
    hydrationTimeoutMs: settings.hydrationTimeoutMs,
    disposeTimeoutMs: settings.disposeTimeoutMs,
    drainTimeoutMs: settings.drainTimeoutMs,
    sweepIntervalMs: settings.sweepIntervalMs,
    failureBackoff: { initialMs: settings.backoffInitialMs, maxMs: settings.backoffMaxMs },
    notFoundTtlMs: settings.notFoundTtlMs,
    replacement: settings.replacement,
    keepLastGood: settings.keepLastGood,
  } as const;
}
