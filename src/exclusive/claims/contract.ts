/**
 * What a store of claims promises, whatever it is made of. The conformance suite of `hydrant/testing` checks it.
 *
 * 1. At any instant of the store's own clock a connection has at most one valid claim: an owner, a token, an expiry.
 * 2. Tokens of one connection strictly rise and are never used twice, not even after a release, and not after the
 *    connection has been forgotten and claimed again.
 * 3. A claim expires `ttlMs` after the store carried out the `claim` or `renew` that proved it, never earlier. A claim
 *    that has expired cannot be renewed, even when nobody has taken it yet.
 * 4. A call is atomic for each connection, and carried out at most once, but its answer may be lost.
 * 5. When the store's clock is set back, a claim, a membership and an offer end at most one TTL after the next call that
 *    looks at them. A living owner's next renewal proves its claim anew.
 * 6. A store may forget a connection whose claim expired long ago. No listed connection is among those, because listed
 *    ones always have an owner.
 */
export interface ClaimStore {
  /**
   * The heartbeat: renews everything a replica holds in one query, and tells which replicas live. An id that is in
   * neither `renewed` nor `lost` is *unknown* and is asked for again.
   */
  renew(request: RenewRequest, options?: ClaimCallOptions): Promise<RenewResult>;
  /**
   * Takes connections that nobody validly owns, each with a new token, in the order of `ids` where it can be had;
   * those offered to this replica come first. Concurrent calls never wait for each other's rows.
   */
  claim(request: ClaimRequest, options?: ClaimCallOptions): Promise<readonly Claim[]>;
  /** Gives claims up. One whose owner or token differs is left alone. */
  release(request: ReleaseRequest, options?: ClaimCallOptions): Promise<void>;
  /**
   * Tells of releases, so that takeovers need not wait for the next tick. At most once and best effort: nothing
   * depends on it but speed. The store re-subscribes by itself until the returned object is disposed of.
   */
  watch?(listener: (hint: ClaimHint) => void): Promise<AsyncDisposable>;
}

/** Options of every call. */
export interface ClaimCallOptions {
  /** Aborts when the answer is no longer waited for. The call may have been carried out all the same. */
  readonly signal?: AbortSignal | undefined;
}

/** One connection's claim, as its owner knows it. */
export interface HeldClaim {
  readonly id: string;
  /** The fencing token: pass it to whatever the owner writes to. */
  readonly token: bigint;
}

/** A claim that was just taken. */
export interface Claim extends HeldClaim {
  /** What the last owner noted, opaque to the store. */
  readonly notes: string | undefined;
}

/** A replica that lives: it has renewed within its own `ttlMs`. */
export interface Member {
  readonly replica: string;
  /** How many connections it counted as its load when it last renewed; -1 while it is joining. */
  readonly load: number;
}

/** What a replica says of itself at every tick. */
export interface RenewRequest {
  /** Unique per start of a process. */
  readonly replica: string;
  /** From now until the renewed claims and the membership expire, in milliseconds. */
  readonly ttlMs: number;
  /** Whether this replica is to be counted as living; one that is stopping only renews. */
  readonly member: boolean;
  /** What it counts as its load, for the others' arithmetic; -1 at its first beat. */
  readonly load: number;
  /** What it holds. `notes` replaces what is stored, where it is given. */
  readonly held: readonly (HeldClaim & { readonly notes?: string | undefined })[];
}

/** What became of a {@link RenewRequest}. */
export interface RenewResult {
  /** Renewed for another `ttlMs`. */
  readonly renewed: readonly string[];
  /** Certainly no longer owned with that token. */
  readonly lost: readonly string[];
  /** Owned by this replica and not in `held`: the answer to a claim was lost. */
  readonly strays: readonly HeldClaim[];
  /** All living replicas, the asking one included if it is a member. */
  readonly members: readonly Member[];
}

/** What a replica would like to own. */
export interface ClaimRequest {
  readonly replica: string;
  readonly ttlMs: number;
  /** Candidates, most wanted first. Ids the store has never seen are free. */
  readonly ids: readonly string[];
  /** At most so many are taken. */
  readonly limit: number;
  /** Takes only what has been free for this long, in milliseconds; 0 takes whatever is free. */
  readonly freeForMs: number;
}

/** For a while after a release, who may take the connection, or who may not. */
export type Offer =
  | { readonly to: string; readonly forMs: number }
  | { readonly notTo: string; readonly forMs: number };

/** A claim to give up. */
export interface ReleasedClaim extends HeldClaim {
  /** Replaces what is stored, where it is given. */
  readonly notes?: string | undefined;
  readonly offer?: Offer | undefined;
}

/** What a replica gives up. */
export interface ReleaseRequest {
  readonly replica: string;
  readonly claims: readonly ReleasedClaim[];
  /** Whether the replica also ceases to be a member. */
  readonly leave: boolean;
}

/** Something was released. */
export interface ClaimHint {
  /** Who released it; empty on every subscription and re-subscription, for hints may have been lost. */
  readonly from: string;
  /** Whether that replica has left. */
  readonly left: boolean;
}
