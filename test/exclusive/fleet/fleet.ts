import type { ConnectionRecord, Lease } from 'hydrant';
import {
  ExclusiveRunner,
  type Claim,
  type ClaimRequest,
  type ClaimStore,
  type Offer,
  type ReleaseRequest,
  type RenewRequest,
  type RenewResult,
} from 'hydrant/exclusive';
import { ManualClock } from 'hydrant/testing';
import { Circle } from '../../../src/exclusive/homes.js';
import { Listed } from '../../../src/exclusive/listed.js';

interface Row { owner: string | undefined; token: bigint; expiresAt: number; offer: Offer | undefined; offerUntil: number }

/** A claim store for large fleets: it finds what a replica owns without going through all rows. */
class FleetServer {
  readonly rows = new Map<string, Row>();
  readonly #members = new Map<string, { load: number; expiresAt: number }>();
  readonly #listeners = new Set<(hint: { from: string; left: boolean }) => void>();
  readonly #clock: ManualClock;
  #token = 0n;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  renew({ replica, ttlMs, member, load, held }: RenewRequest): RenewResult {
    const now = this.#clock.monotonic();
    if (member) this.#members.set(replica, { load, expiresAt: now + ttlMs });
    const [renewed, lost]: [string[], string[]] = [[], []];
    for (const { id, token } of held) {
      const row = this.rows.get(id);
      if (row?.owner !== replica || row.token !== token || row.expiresAt <= now) lost.push(id);
      else {
        row.expiresAt = now + ttlMs;
        renewed.push(id);
      }
    }
    const members = [...this.#members]
      .filter(([, { expiresAt }]) => expiresAt > now)
      .map(([name, one]) => ({ replica: name, load: one.load }));
    return { renewed, lost, strays: [], members };
  }

  claim({ replica, ttlMs, ids, limit, freeForMs }: ClaimRequest): readonly Claim[] {
    const now = this.#clock.monotonic();
    const [offered, free]: [string[], string[]] = [[], []];
    for (const id of ids) {
      const row = this.rows.get(id);
      if (row === undefined) free.push(id);
      else {
        const offer = row.offerUntil > now ? row.offer : undefined;
        const toOne = offer !== undefined && 'to' in offer ? offer.to : undefined;
        if (toOne === replica && row.expiresAt <= now) offered.push(id);
        const isFree = row.expiresAt <= now - freeForMs;
        if (isFree && toOne === undefined && !(offer !== undefined && 'notTo' in offer && offer.notTo === replica)) free.push(id);
      }
    }
    return [...offered, ...free].slice(0, limit).map((id) => {
      const token = this.#token += 1n;
      this.rows.set(id, { owner: replica, token, expiresAt: now + ttlMs, offer: undefined, offerUntil: 0 });
      return { id, token, notes: undefined };
    });
  }

  release({ replica, claims, leave }: ReleaseRequest): void {
    const now = this.#clock.monotonic();
    if (leave) this.#members.delete(replica);
    for (const { id, token, offer } of claims) {
      const row = this.rows.get(id);
      if (row?.owner !== replica || row.token !== token) continue;
      this.rows.set(id, {
        owner: undefined,
        token,
        expiresAt: Math.min(row.expiresAt, now),
        offer,
        offerUntil: now + (offer?.forMs ?? 0),
      });
    }
    for (const listener of this.#listeners) listener({ from: replica, left: leave });
  }

  watch(listener: (hint: { from: string; left: boolean }) => void): void {
    this.#listeners.add(listener);
  }
}

/** The calls of one replica to the claim store. Bytes are those of ids and tokens as JSON. */
export interface Traffic { claimQueries: number; claimBytes: number; renewBytes: number; mostNamed: number }

class FleetReplica {
  readonly runner: ExclusiveRunner<ConnectionRecord, string>;
  traffic: Traffic = { claimQueries: 0, claimBytes: 0, renewBytes: 0, mostNamed: 0 };
  cut = false;
  load = 0;

  constructor(name: string, clock: ManualClock, server: FleetServer, list: () => readonly ConnectionRecord[]) {
    const never = (): Promise<never> => new Promise(() => undefined);
    const claims: ClaimStore = {
      renew: async (request) => {
        if (this.cut) return never();
        this.traffic.renewBytes += request.held.length * 40;
        return server.renew(request);
      },
      claim: async (request) => {
        if (this.cut) return never();
        this.traffic.claimQueries += 1;
        this.traffic.claimBytes += request.ids.reduce((bytes, id) => bytes + id.length + 3, 0);
        this.traffic.mostNamed = Math.max(this.traffic.mostNamed, request.ids.length);
        return server.claim(request);
      },
      release: async (request) => (this.cut ? never() : server.release(request)),
      watch: async (listener) => {
        server.watch((hint) => { if (!this.cut) listener(hint); });
        return { [Symbol.asyncDispose]: async () => undefined };
      },
    };
    this.runner = new ExclusiveRunner<ConnectionRecord, string>({
      claims, clock, list, replicaName: name, maxConcurrentStarts: 1_000,
      registry: { acquire: async (id) => leaseOf(id) },
      // Without work or a signal, because the cost of a loop is not measured here.
      provision: async () => undefined,
    });
    for (const event of ['claimsFailed', 'startFailed', 'stopUnproven', 'listFailed'] as const)
      this.runner.on(event, () => undefined);
  }
}

const RECORD = { version: 1, status: 'active' } as const;
const SIGNAL = new AbortController().signal;
const leaseOf = (id: string): Lease<ConnectionRecord, string> => ({
  instance: id, record: { id, ...RECORD }, stale: false, signal: SIGNAL, retire() {}, release() {}, [Symbol.dispose]() {},
});

/** Replicas in one process over one claim store, with default options: TTL 45 s, tick 5 s. */
export class Fleet {
  readonly clock = new ManualClock();
  readonly server = new FleetServer(this.clock);
  readonly replicas: FleetReplica[] = [];
  readonly #rows: readonly ConnectionRecord[];

  constructor(connections: number, replicas: number) {
    this.#rows = Array.from({ length: connections }, (_, index) => ({
      id: `connection-${String(index).padStart(8, '0')}`,
      ...RECORD,
    }));
    for (let n = 0; n < replicas; n += 1) this.join();
  }

  join(): void {
    const name = `r${String(this.replicas.length).padStart(4, '0')}`;
    const replica = new FleetReplica(name, this.clock, this.server, () => this.#rows);
    this.replicas.push(replica);
    replica.runner.start();
  }

  get living(): readonly FleetReplica[] {
    return this.replicas.filter(({ cut }) => !cut);
  }

  /** Connections that a living replica validly owns. */
  get owned(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** The most and the fewest connections that a living replica owns. */
  get loads(): { most: number; fewest: number } {
    const counts = [...this.#counts.values()];
    return { most: Math.max(...counts), fewest: Math.min(...counts) };
  }

  /** Whether everything is owned, and no replica owns two connections more than another one. */
  get balanced(): boolean {
    const { most, fewest } = this.loads;
    return most - fewest <= 1 && this.owned === this.#rows.length;
  }

  get #counts(): ReadonlyMap<string, number> {
    const now = this.clock.monotonic();
    const counts = new Map(this.living.map(({ runner }) => [runner.replica, 0]));
    for (const { owner, expiresAt } of this.server.rows.values()) {
      const count = owner === undefined || expiresAt <= now ? undefined : counts.get(owner);
      if (count !== undefined) counts.set(owner!, count + 1);
    }
    return counts;
  }

  /** The cost of a listing besides the query, in milliseconds of the event loop. */
  listCosts(): Readonly<Record<'first' | 'unchanged' | 'oneEdited' | 'oneAdded' | 'homes', number>> {
    const rows = this.#rows;
    const edited = rows.with(0, { ...rows[0]!, version: 2 });
    const added = [...rows, { id: 'connection-x', ...RECORD }];
    const { listed } = Listed.read(rows, Listed.none, true);
    const names = this.replicas.map(({ runner }) => runner.replica);
    const cost = (work: () => unknown): number => {
      const took = [1, 2, 3, 4, 5].map(() => {
        const began = performance.now();
        work();
        return performance.now() - began;
      });
      return Math.min(...took);
    };
    const taken = (entries: readonly ConnectionRecord[]) => () => Listed.read(entries, listed, true).listed.hasMoreThan(listed);
    return {
      first: cost(() => Listed.read(rows, Listed.none, true)),
      unchanged: cost(taken(rows)),
      oneEdited: cost(taken(edited)),
      oneAdded: cost(taken(added)),
      homes: cost(() => new Circle(listed.ids, names)),
    };
  }

  /** Advances until `holds`, and returns how many milliseconds that took. */
  async until(holds: () => boolean, atMostMs = 600_000): Promise<number> {
    const from = this.clock.monotonic();
    while (!holds()) {
      if (this.clock.monotonic() - from >= atMostMs)
        throw new Error(`not within ${atMostMs} ms: ${this.owned} owned, ${JSON.stringify(this.loads)}`);
      await this.clock.advance(500);
    }
    return this.clock.monotonic() - from;
  }

  /** Traffic per replica and tick over so many ticks. */
  async traffic(ticks: number): Promise<Traffic> {
    for (const replica of this.replicas) replica.traffic = { claimQueries: 0, claimBytes: 0, renewBytes: 0, mostNamed: 0 };
    await this.clock.advance(ticks * 5_000);
    return this.trafficSince(ticks);
  }

  trafficSince(ticks: number): Traffic {
    const all = this.living.map(({ traffic }) => traffic);
    const mean = (of: (traffic: Traffic) => number): number =>
      all.reduce((sum, traffic) => sum + of(traffic), 0) / all.length / ticks;
    return {
      claimQueries: mean(({ claimQueries }) => claimQueries), claimBytes: mean(({ claimBytes }) => claimBytes),
      renewBytes: mean(({ renewBytes }) => renewBytes), mostNamed: Math.max(...all.map(({ mostNamed }) => mostNamed)),
    };
  }
}
