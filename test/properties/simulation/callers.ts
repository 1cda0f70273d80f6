import { setMaxListeners } from 'node:events';
import type { AcquireOptions, ConnectionRegistry } from 'hydrant';
import type { Handle } from './factory.js';
import type { Model } from './model.js';
import type { Demand, Hold, Instance, LeaseLike, Row } from './observed.js';
import type { Operation } from './program.js';
import { outside, type World } from './world.js';

export type Registry = ConnectionRegistry<Row, Handle>;

type Use = Extract<Operation, { do: 'use' }>;
type Acquire = Extract<Operation, { do: 'acquire' }>;

/** The callers of this process. They tell the model what they asked for and what they got. */
export class Callers {
  readonly #world: World;
  readonly #model: Model;
  readonly #registry: Registry;

  constructor(world: World, model: Model, registry: Registry) {
    this.#world = world;
    this.#model = model;
    this.#registry = registry;
  }

  use(op: Use, nestedIn?: Hold): Promise<unknown> {
    const world = this.#world;
    const demand = this.#demand('use', op, nestedIn);
    const result = { of: demand.n };
    const failure = new Error(`the work of use ${demand.n} failed`);
    let expected: { value: unknown } | { error: unknown } | undefined;
    const work = (instance: Handle, lease: LeaseLike): unknown => {
      const hold = this.hold(demand, world.instances[instance.n]!, lease);
      if (lease.instance !== instance) world.violate('lease', `use ${demand.n} got one instance and a lease on another`);
      const end = (failed: boolean): void => {
        expected = failed ? { error: failure } : { value: result };
        this.release(hold);
      };
      switch (op.work) {
        case 'retire':
          this.retire(hold);
          end(false);
          return result;
        case 'now':
          end(false);
          return result;
        case 'throw':
          end(true);
          throw failure;
        case 'nested':
          return this.use({ ...op, work: 'now', id: op.nested, timeoutMs: 100, signal: false }, hold).then(() => {
            end(false);
            return result;
          });
        case 'later': {
          const { promise, resolve, reject } = outside<unknown>();
          world.await({
            kind: 'work',
            label: `work ${demand.n}`,
            hung: false,
            settle: (fail) => {
              end(fail);
              if (fail) reject(failure);
              else resolve(result);
              return true;
            },
          });
          return promise;
        }
      }
    };
    return this.#registry.use(demand.id, work, this.#options(demand, op)).then(
      (value) => {
        if (expected === undefined || !('value' in expected) || expected.value !== value)
          world.violate('use', `use ${demand.n} resolved what its work did not`);
        this.#settled(demand, 'served');
      },
      (error: unknown) => {
        if (expected === undefined) this.#refused(demand, error);
        else if (!('error' in expected) || expected.error !== error)
          world.violate('use', `use ${demand.n} rejected what its work did not: ${String(error)}`);
        this.#settled(demand, 'failed');
      },
    );
  }

  acquire(op: Acquire): void {
    const demand = this.#demand('acquire', op);
    this.#registry.acquire(demand.id, this.#options(demand, op)).then(
      (lease) => {
        this.hold(demand, this.#world.instances[lease.instance.n]!, lease);
        demand.state = 'settled';
        demand.settled = this.#world.moment();
      },
      (error: unknown) => { this.#refused(demand, error); this.#settled(demand, 'failed'); },
    );
  }

  tryAcquire(id: string): void {
    const world = this.#world;
    const demand = this.#demand('acquire', {
      do: 'acquire',
      id: Number(id.slice(1)),
      timeoutMs: undefined,
      freshness: undefined,
      signal: false,
    });
    const lease = this.#registry.tryAcquire(id);
    if (lease !== undefined) {
      if (demand.freshness === 'strict') world.violate('G4', 'tryAcquire gave a lease under strict freshness');
      this.hold(demand, world.instances[lease.instance.n]!, lease);
    }
    demand.state = 'settled';
  }

  /** Leases that their holder can let go. */
  get leases(): Hold[] {
    return this.#world.holds.filter((hold) => !hold.released && hold.demand.kind === 'acquire');
  }

  releaseAcquired(pick: number): void {
    const { leases } = this;
    const hold = leases[pick % leases.length];
    if (hold === undefined) return;
    this.release(hold);
    hold.lease!.release();
    if (pick % 5 === 0) hold.lease!.release();
  }

  retireHeld(pick: number): void {
    const held = this.#world.holds.filter((hold) => !hold.released && hold.lease !== undefined);
    const hold = held[pick % held.length];
    if (hold !== undefined) this.retire(hold);
  }

  retire(hold: Hold): void {
    hold.instance.retired ??= this.#world.note(
      `instance ${hold.instance.n} is reported dead by ${hold.demand.kind} ${hold.demand.n}`,
    );
    hold.lease!.retire(new Error('found dead'));
  }

  abort(pick: number): void {
    const waiting = this.#world.demands.filter(
      (demand) =>
        demand.controller !== undefined
        && demand.state !== 'settled'
        && demand.aborted === undefined
        && demand.kind !== 'webhook',
    );
    const demand = waiting[pick % waiting.length];
    if (demand === undefined) return;
    demand.aborted = this.#world.note(`${demand.kind} ${demand.n} aborts`);
    demand.controller!.abort(new Error(`${demand.kind} ${demand.n} left`));
  }

  /** From now on a caller has the instance. */
  hold(demand: Demand, instance: Instance, lease: LeaseLike | undefined): Hold {
    const world = this.#world;
    if (demand.state === 'waiting') demand.state = 'working';
    const since = world.note(`${demand.kind} ${demand.n} has instance ${instance.n} of ${instance.id} v${instance.version}`);
    const hold: Hold = { n: world.holds.length, instance, lease, demand, since, released: false };
    this.#model.entitled(hold);
    world.holds.push(hold);
    instance.holds.add(hold);
    if (lease !== undefined && hold.n % 2 === 0) {
      // One signal serves all leases of an instance.
      setMaxListeners(0, lease.signal);
      lease.signal.addEventListener('abort', () => {
        hold.signalAborted = world.note(`the lease of ${demand.kind} ${demand.n} aborts`);
        this.#model.leaseAborted(hold);
      });
    }
    return hold;
  }

  release(hold: Hold): void {
    hold.released = true;
    this.ended(hold);
  }

  /** The last that is known of a hold. */
  ended(hold: Hold): void {
    hold.releasedAt = this.#world.note(`${hold.demand.kind} ${hold.demand.n} lets instance ${hold.instance.n} go`);
    hold.doneAt ??= hold.releasedAt;
  }

  #demand(kind: 'use' | 'acquire', op: Use | Acquire, nestedIn?: Hold): Demand {
    const world = this.#world;
    const n = world.demands.length;
    const timeoutMs = op.timeoutMs ?? world.settings.acquireTimeoutMs;
    const freshness = op.freshness ?? world.settings.freshness;
    const demand: Demand = {
      n,
      kind,
      id: `c${op.id}`,
      timeoutMs,
      freshness,
      nestedIn,
      state: 'waiting',
      quietBefore: world.quiet.seq,
      controller: op.signal ? new AbortController() : undefined,
      began: world.note(
        `${kind} ${n} of c${op.id} begins (${String(freshness)}, ${timeoutMs} `
          + `ms${nestedIn === undefined ? '' : `, inside ${nestedIn.demand.n}`})`,
      ),
    };
    world.demands.push(demand);
    if (op.signal && n % 11 === 10) {
      demand.aborted = world.note(`${kind} ${n} was aborted before it began`);
      demand.controller!.abort(new Error(`${kind} ${n} left before it came`));
    }
    return demand;
  }

  #options(demand: Demand, op: Use | Acquire): AcquireOptions {
    return {
      ...(demand.controller !== undefined && { signal: demand.controller.signal }),
      ...(op.timeoutMs !== undefined && { timeoutMs: op.timeoutMs }),
      ...(op.freshness !== undefined && { freshness: op.freshness === 'strict' ? op.freshness : { maxStaleMs: op.freshness } }),
    };
  }

  #refused(demand: Demand, error: unknown): void {
    const code = (error as { code?: string }).code ?? String(error);
    this.#world.note(`${demand.kind} ${demand.n} is refused: ${code}`);
    this.#model.refused(demand, error);
  }

  #settled(demand: Demand, how: string): void {
    demand.state = 'settled';
    demand.settled = this.#world.note(`${demand.kind} ${demand.n} is settled: ${how}`);
  }
}
