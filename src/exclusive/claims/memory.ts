import { systemClock, type Clock } from '../../clock.js';
import type { Claim, ClaimHint, ClaimRequest, ClaimStore, Offer, ReleaseRequest, RenewRequest, RenewResult } from './contract.js';

interface Row { owner: string | undefined; token: bigint; expiresAt: number; notes: string | undefined; offer: Offer | undefined; offerUntil: number }

/** The side of the claims that all replicas of a test share. Its clock is the store's clock. */
export class MemoryClaimServer {
  readonly #clock: Clock;
  readonly #rows = new Map<string, Row>();
  readonly #members = new Map<string, { load: number; expiresAt: number }>();
  readonly #listeners = new Set<(hint: ClaimHint) => void>();
  #token = 0n;

  constructor(options: { readonly clock?: Clock } = {}) {
    this.#clock = options.clock ?? systemClock;
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
    const known = new Set(held.map(({ id }) => id));
    const strays = [...this.#rows].filter(([id, row]) => row.owner === replica && row.expiresAt > now && !known.has(id)).map(([id, { token }]) => ({ id, token }));
    const members = [...this.#members].filter(([, { expiresAt }]) => expiresAt > now).map(([name, entry]) => ({ replica: name, load: entry.load }));
    return { renewed, lost, strays, members };
  }

  claim({ replica, ttlMs, ids, limit, freeForMs }: ClaimRequest): readonly Claim[] {
    const now = this.#clock.monotonic();
    const free = ids.filter((id) => {
      const row = this.#rows.get(id);
      return row === undefined || (row.expiresAt <= now - freeForMs && allows(standingOffer(row, now), replica));
    });
    // What is free for this replica and offered to one is offered to this one.
    const offered = (id: string): boolean => {
      const offer = standingOffer(this.#rows.get(id), now);
      return offer !== undefined && 'to' in offer;
    };
    return [...free.filter(offered), ...free.filter((id) => !offered(id))].slice(0, limit).map((id) => {
      const notes = this.#rows.get(id)?.notes;
      const token = this.#token += 1n;
      this.#rows.set(id, { owner: replica, token, expiresAt: now + ttlMs, notes, offer: undefined, offerUntil: 0 });
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
      this.#rows.set(id, {
        owner: undefined, token, expiresAt: Math.min(row.expiresAt, now), notes: notes ?? row.notes, offer, offerUntil: now + (offer?.forMs ?? 0),
      });
    }
    if (released) for (const listener of this.#listeners) listener({ from: replica, left: leave });
  }

  watch(listener: (hint: ClaimHint) => void): () => void {
    const own = (hint: ClaimHint): void => listener(hint);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Who owns what at this moment, by the store's clock. */
  owners(): ReadonlyMap<string, { readonly owner: string; readonly token: bigint }> {
    const now = this.#clock.monotonic();
    const owners = new Map<string, { owner: string; token: bigint }>();
    for (const [id, { owner, token, expiresAt }] of this.#rows) if (owner !== undefined && expiresAt > now) owners.set(id, { owner, token });
    return owners;
  }
}

/** The offer that stands, where one does. */
function standingOffer(row: Row | undefined, now: number): Offer | undefined {
  return row !== undefined && row.offerUntil > now ? row.offer : undefined;
}

function allows(offer: Offer | undefined, replica: string): boolean {
  if (offer === undefined) return true;
  return 'to' in offer ? offer.to === replica : offer.notTo !== replica;
}

/** Which call of a {@link ClaimStore}. */
export type ClaimCall = 'renew' | 'claim' | 'release';

/**
 * Stands between a replica and the server: may delay `carryOut`, never call it, or call it and lose its result.
 *
 * @example
 * // the answer is lost after the commit
 * const lossy: Intercept = async (call, carryOut) => { const answer = carryOut(); if (lost(call)) throw new Error('connection reset'); return answer; };
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
