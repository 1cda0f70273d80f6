import { ConnectionError, type AcquireOptions, type ConnectionRecord, type Lease } from 'hydrant';
import {
  ExclusiveRunner,
  MemoryClaims,
  type ClaimRequest,
  type MemoryClaimServer,
  type ReleaseRequest,
  type RenewRequest,
  type Tenure,
} from 'hydrant/exclusive';
import type { Loop, Model } from './model.js';
import { TTL } from './program.js';
import type { Random } from './random.js';
import { Machine, type World } from './world.js';

/** The rows, and which of them cannot start at the moment. */
export interface Rows {
  readonly records: Map<string, ConnectionRecord>;
  readonly broken: Set<string>;
}

/** How a replica's calls to the store fare. */
export interface Network {
  cut: boolean;
  requests: number;
  answers: number;
  late: number;
}

/** Nothing aborts it, so that one does for all. */
const NEVER = new AbortController().signal;

class SimulatedLease implements Lease<ConnectionRecord, string> {
  readonly instance: string;
  readonly record: ConnectionRecord;
  readonly signal = NEVER;
  stale = false;

  constructor(record: ConnectionRecord) {
    this.record = record;
    this.instance = record.id;
  }

  retire(): void { this.stale = true; }
  release(): void { /* nothing is kept */ }
  [Symbol.dispose](): void { /* nothing is kept */ }
}

/** One replica of the simulation: a machine, a network, a registry that takes its time, and loops that poll. */
export class SimulatedReplica {
  readonly machine: Machine;
  readonly network: Network = { cut: false, requests: 0, answers: 0, late: 0 };
  readonly runner: ExclusiveRunner<ConnectionRecord, string>;
  readonly serving = new Map<string, Loop>();
  readonly leases = new Map<string, SimulatedLease>();
  provisions = 0;
  calls = 0;
  stopping = false;
  stopped = false;
  /** No loop hangs or dawdles any more. */
  orderly = false;
  readonly #world: World;
  readonly #model: Model;
  readonly #random: Random;
  readonly #rows: Rows;
  #retired: ((payload: { id: string }) => void) | undefined;

  constructor(index: number, world: World, model: Model, server: MemoryClaimServer, rows: Rows, random: Random) {
    this.#world = world;
    this.#model = model;
    this.#random = random;
    this.#rows = rows;
    this.machine = new Machine(world, random, 0.02);
    const claims = new MemoryClaims({ server, intercept: (call, carryOut) => this.#call(call, carryOut) as never });
    let request: unknown;
    const noted = {
      renew: (given: RenewRequest) => { request = given; return claims.renew(given); },
      claim: (given: ClaimRequest) => { request = given; return claims.claim(given); },
      release: (given: ReleaseRequest) => { request = given; return claims.release(given); },
      watch: (listener: Parameters<MemoryClaims['watch']>[0]) => claims.watch((hint) => {
        if (!this.network.cut && !random.chance(0.2))
          world.at(world.now + random.between(0, 50), () => this.machine.deliver(() => listener(hint)));
      }),
    };
    this.#request = () => request;
    this.runner = new ExclusiveRunner<ConnectionRecord, string>({
      registry: {
        acquire: (id, options) => this.#acquire(id, options),
        on: (event, listener) => { if (event === 'retired') this.#retired = listener; return () => undefined; },
      },
      replicaName: `r${String(index).padStart(3, '0')}`, claims: noted, clock: this.machine, ttlMs: TTL, stopTimeoutMs: 3_000,
      startBackoff: { initialMs: 500, maxMs: 4_000 }, handOverAfterFailures: 3, provisionTimeoutMs: 3_000,
      list: () => [...rows.records.values()],
      provision: async () => { this.provisions += 1; await this.#sleep(random.between(0, 20)); },
      run: (tenure) => this.#run(tenure),
    });
    this.runner.on('claimsFailed', () => undefined);
    this.runner.on('startFailed', () => undefined);
    this.runner.on('stopUnproven', () => undefined);
    this.runner.start();
  }

  readonly #request: () => unknown;

  get live(): boolean {
    return this.machine.running && !this.stopping;
  }

  kill(): void {
    this.machine.kill();
    for (const loop of this.serving.values()) loop.ended = true;
    this.serving.clear();
  }

  stop(): void {
    this.stopping = true;
    void this.runner.stop().then(() => { this.stopped = true; });
  }

  /** The instance of a connection dies. */
  die(id: string): void {
    const lease = this.leases.get(id);
    if (lease === undefined || !this.machine.running) return;
    lease.stale = true;
    this.#retired?.({ id });
  }

  /** The request travels, is carried out at the store, and its answer travels back; any of it may go wrong. */
  #call(call: 'renew' | 'claim' | 'release', carryOut: () => unknown): Promise<unknown> {
    this.calls += 1;
    const request = this.#request();
    const random = this.#random;
    const { network } = this;
    const delay = (): number => (random.chance(network.late) ? random.between(0, 2 * TTL) : random.between(0, 30));
    return new Promise((resolve, reject) => {
      const fail = (): void =>
        this.#world.at(this.#world.now + random.between(0, 30), () =>
          this.machine.deliver(() => reject(new Error('connection reset'))),
        );
      if (network.cut || random.chance(network.requests)) return random.chance(0.5) ? fail() : undefined;
      this.#world.at(this.#world.now + delay(), () => {
        const answer = carryOut();
        if (call === 'claim') this.#model.claimed(this.#world.now, request as ClaimRequest, answer as never);
        else if (call === 'renew') this.#model.renewed(this.#world.now, request as RenewRequest, answer as never);
        else this.#model.released(this.#world.now, request as ReleaseRequest);
        if (network.cut || random.chance(network.answers)) return random.chance(0.5) ? fail() : undefined;
        this.#world.at(this.#world.now + delay(), () => this.machine.deliver(() => resolve(answer)));
      });
    });
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => { this.machine.setTimeout(resolve, ms); });
  }

  #acquire(id: string, { signal }: AcquireOptions = {}): Promise<Lease<ConnectionRecord, string>> {
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason as Error));
      this.machine.setTimeout(() => {
        const record = this.#rows.records.get(id);
        if (record === undefined) return reject(new ConnectionError('CONNECTION_NOT_FOUND', 'gone'));
        if (this.#rows.broken.has(id)) return reject(new ConnectionError('HYDRATION_FAILED', 'broken'));
        const lease = new SimulatedLease(record);
        this.leases.set(id, lease);
        resolve(lease);
      }, this.#random.between(0, this.#random.chance(0.1) ? 2_000 : 50));
    });
  }

  async #run(tenure: Tenure<ConnectionRecord, string>): Promise<void> {
    const { id, token, signal } = tenure;
    const random = this.#random;
    const loop: Loop = {
      replica: this.runner.replica,
      id,
      token,
      ended: false,
      aborted: () => signal.aborted,
      awake: () => this.machine.awakeFor(TTL / 8),
    };
    this.#model.began(loop);
    this.serving.set(id, loop);
    let wake: (() => void) | undefined;
    signal.addEventListener('abort', () => wake?.());
    const poll = (): void => {
      try { tenure.assertHeld(); } catch { return; }
      this.#model.polled(this.#world.now, loop);
    };
    while (!signal.aborted) {
      poll();
      await new Promise<void>((resolve) => {
        wake = resolve;
        this.machine.setTimeout(resolve, random.between(50, 3_000));
      });
    }
    // Stopping takes a while. The loop does its last work while the claim is held.
    const kind = this.orderly ? 0 : random.next();
    if (kind > 0.7) for (let turn = random.integer(1, 4); turn > 0; turn -= 1) {
      await this.#sleep(random.between(0, kind > 0.97 ? 10_000 : 800));
      poll();
    }
    loop.ended = true;
    this.serving.delete(id);
    if (random.chance(0.1)) throw new Error('and it fails at the end');
  }
}
