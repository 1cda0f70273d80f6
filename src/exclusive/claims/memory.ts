import { systemClock, type Clock } from '../../clock.js';
import type { Claim, ClaimHint, ClaimRequest, ClaimStore, Offer, ReleaseRequest, RenewRequest, RenewResult } from './contract.js';

interface Row {
  owner: string | undefined;
  token: bigint;
  expiresAt: number;
  notes: string | undefined;
  offer: Offer | undefined;
  offerUntil: number;
}

/** Options of a {@link MemoryClaimServer}. */
export interface MemoryClaimServerOptions {
  /** The store's clock. Only its monotonic time is used. Default: the system's. */
  readonly clock?: Clock;
  /** A row is deleted this many milliseconds after its claim expired. Default 30 days. */
  readonly forgetAfterMs?: number;
}

const FORGET_AFTER_MS = 30 * 24 * 3_600_000;
/** Each renewal looks for old rows among this many. */
const LOOKED_AT = 100;

/** The state of the claims, shared by all replicas of a test. */
export class MemoryClaimServer {
  readonly #clock: Clock;
  readonly #forgetAfterMs: number;
  /** Rows whose age was checked longest ago come first. */
  readonly #rows = new Map<string, Row>();
  readonly #owned = new Map<string | undefined, Set<string>>();
  readonly #members = new Map<string, { load: number; expiresAt: number }>();
  readonly #listeners = new Set<(hint: ClaimHint) => void>();
  #token = 0n;

  constructor({ clock = systemClock, forgetAfterMs = FORGET_AFTER_MS }: MemoryClaimServerOptions = {}) {
    this.#clock = clock;
    this.#forgetAfterMs = forgetAfterMs;
  }

  /** How many connections have a row. */
  get rows(): number {
    return this.#rows.size;
  }

  renew({ replica, ttlMs, member, load, held }: RenewRequest): RenewResult {
    const now = this.#clock.monotonic();
    if (member) this.#members.set(replica, { load, expiresAt: now + ttlMs });
    const renewed: string[] = [];
    const lost: string[] = [];
    for (const { id, token, notes } of held) {
      const row = this.#rows.get(id);
      if (row?.owner !== replica || row.token !== token || row.expiresAt <= now) {
        lost.push(id);
        continue;
      }
      row.expiresAt = now + ttlMs;
      row.notes = notes ?? row.notes;
      renewed.push(id);
    }
    this.#forget(now);
    const known = new Set(held.map(({ id }) => id));
    const strays = [...this.#owned.get(replica) ?? []].filter((id) => !known.has(id) && this.#rows.get(id)!.expiresAt > now);
    for (const [name, { expiresAt }] of this.#members) if (expiresAt <= now) this.#members.delete(name);
    return {
      renewed, lost,
      strays: strays.map((id) => ({ id, token: this.#rows.get(id)!.token })),
      members: [...this.#members].map(([name, entry]) => ({ replica: name, load: entry.load })),
    };
  }

  claim({ replica, ttlMs, ids, limit, freeForMs }: ClaimRequest): readonly Claim[] {
    const now = this.#clock.monotonic();
    const [offered, free]: [string[], string[]] = [[], []];
    for (const id of ids) {
      const row = this.#rows.get(id);
      const freeSinceMs = row === undefined ? Infinity : now - row.expiresAt;
      const offer: Partial<Record<'to' | 'notTo', string>> = standingOffer(row, now) ?? {};
      if (offer.to === replica) offered.push(id);
      else if (freeSinceMs >= freeForMs && offer.to === undefined && offer.notTo !== replica) free.push(id);
    }
    return [...offered, ...free].slice(0, limit).map((id) => {
      const notes = this.#rows.get(id)?.notes;
      const token = this.#token += 1n;
      this.#put(id, { owner: replica, token, expiresAt: now + ttlMs, notes, offer: undefined, offerUntil: 0 });
      return { id, token, notes };
    });
  }

  release({ replica, claims, leave }: ReleaseRequest): void {
    const now = this.#clock.monotonic();
    let released = leave && this.#members.delete(replica);
    for (const { id, token, notes, offer } of claims) {
      const row = this.#rows.get(id);
      if (row?.owner !== replica || row.token !== token) continue;
      released = true;
      const expiresAt = Math.min(row.expiresAt, now);
      const offerUntil = now + (offer?.forMs ?? 0);
      this.#put(id, { owner: undefined, token, expiresAt, notes: notes ?? row.notes, offer, offerUntil });
    }
    if (released) for (const listener of this.#listeners) listener({ from: replica, left: leave });
  }

  watch(listener: (hint: ClaimHint) => void): () => void {
    const own = (hint: ClaimHint): void => listener(hint);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** The owner of each connection at this moment, by the store's clock. */
  owners(): ReadonlyMap<string, { readonly owner: string; readonly token: bigint }> {
    const now = this.#clock.monotonic();
    const owners = new Map<string, { owner: string; token: bigint }>();
    for (const [id, { owner, token, expiresAt }] of this.#rows) {
      if (owner !== undefined && expiresAt > now) owners.set(id, { owner, token });
    }
    return owners;
  }

  /** Tokens come from one counter, so a connection that is claimed again after its row is gone gets a higher one. */
  #forget(now: number): void {
    let left = Math.min(LOOKED_AT, this.#rows.size);
    for (const [id, row] of this.#rows) {
      if (left === 0) return;
      left -= 1;
      this.#put(id, row.expiresAt <= now - this.#forgetAfterMs ? undefined : row);
    }
  }

  #put(id: string, row: Row | undefined): void {
    const before = this.#rows.get(id)?.owner;
    const left = this.#owned.get(before);
    left?.delete(id);
    if (left?.size === 0) this.#owned.delete(before);
    this.#rows.delete(id);
    if (row === undefined) return;
    this.#rows.set(id, row);
    if (row.owner !== undefined) this.#owned.set(row.owner, (this.#owned.get(row.owner) ?? new Set()).add(id));
  }
}

/** The offer that has not expired, if there is one. */
function standingOffer(row: Row | undefined, now: number): Offer | undefined {
  return row !== undefined && row.offerUntil > now ? row.offer : undefined;
}

/** A call of a {@link ClaimStore}. */
export type ClaimCall = 'renew' | 'claim' | 'release';

/**
 * Runs between a replica and the server. It may call `carryOut` late, never, or lose its result.
 *
 * @example
 * // the answer is lost after the commit
 * const lossy: Intercept = async (call, carryOut) => {
 *   const answer = carryOut();
 *   if (lost(call)) throw new Error('connection reset');
 *   return answer;
 * };
 */
export type Intercept = <T>(call: ClaimCall, carryOut: () => T) => T | Promise<T>;

/**
 * Claims within one process, for tests and single-process use. One per replica, over one {@link MemoryClaimServer}.
 *
 * @example
 * const server = new MemoryClaimServer({ clock });
 * const replicas = [new MemoryClaims({ server }), new MemoryClaims({ server, intercept: lossy })];
 */
export class MemoryClaims implements ClaimStore {
  readonly #server: MemoryClaimServer;
  readonly #intercept: Intercept;

  constructor(options: { readonly server?: MemoryClaimServer; readonly intercept?: Intercept } = {}) {
    this.#server = options.server ?? new MemoryClaimServer();
    this.#intercept = options.intercept ?? ((_call, carryOut) => carryOut());
  }

  async renew(request: RenewRequest): Promise<RenewResult> {
    return this.#intercept('renew', () => this.#server.renew(request));
  }

  async claim(request: ClaimRequest): Promise<readonly Claim[]> {
    return this.#intercept('claim', () => this.#server.claim(request));
  }

  async release(request: ReleaseRequest): Promise<void> {
    return this.#intercept('release', () => this.#server.release(request));
  }

  async watch(listener: (hint: ClaimHint) => void): Promise<AsyncDisposable> {
    const stop = this.#server.watch(listener);
    return { [Symbol.asyncDispose]: async () => stop() };
  }
}
