/**
 * Keeps the claims of all replicas. Every claim store gives these guarantees, and `claimConformance` of
 * `hydrant/testing` checks them.
 *
 * 1. At any instant of the store's own clock a connection has at most one valid claim: an owner, a token and an expiry.
 * 2. Tokens of one connection strictly rise and are never used twice, not even after a release, and not after the
 *    connection has been forgotten and claimed again.
 * 3. A claim expires `ttlMs` after the store carried out the `claim` or `renew` that proved it, never earlier. A claim
 *    that has expired cannot be renewed, even if no replica has taken it yet.
 * 4. A call is atomic for each connection, and carried out at most once, but its answer may be lost.
 * 5. When the store's clock is set back, a claim, a membership and an offer end at most one TTL after the next call that
 *    looks at them. A living owner's next renewal proves its claim anew.
 * 6. A store may forget a connection whose claim expired long ago. A listed connection is never
 *    forgotten, because it always has an owner.
 */
export interface ClaimStore {
  /**
   * The heartbeat. It renews all claims of a replica in one query, and returns the living replicas. An id that is in
   * neither `renewed` nor `lost` is *unknown*, and the replica asks again.
   */
  renew(request: RenewRequest, options?: ClaimCallOptions): Promise<RenewResult>;
  /**
   * Takes connections that no replica validly owns, each with a new token. Connections offered to this replica come
   * first, and the others follow in the order of `ids` where possible. Concurrent calls never wait for each other's rows.
   */
  claim(request: ClaimRequest, options?: ClaimCallOptions): Promise<readonly Claim[]>;
  /** Gives claims up. A claim with another owner or token stays as it is. */
  release(request: ReleaseRequest, options?: ClaimCallOptions): Promise<void>;
  /**
   * Reports releases, so that takeovers need not wait for the next tick. Delivery is best effort and at most once,
   * because only speed depends on it. The store re-subscribes until the returned object is disposed of.
   */
  watch?(listener: (hint: ClaimHint) => void): Promise<AsyncDisposable>;
}

/** Options of every call. */
export interface ClaimCallOptions {
  /** Aborts when the caller stops waiting for the answer. The store may still carry out the call. */
  readonly signal?: AbortSignal | undefined;
}

/** One connection's claim, as its owner knows it. */
export interface HeldClaim {
  readonly id: string;
  /** The fencing token. Pass it to every receiver that the owner writes to. */
  readonly token: bigint;
}

/** A claim that was just taken. */
export interface Claim extends HeldClaim {
  /** Notes of the last owner. The store does not read them. */
  readonly notes: string | undefined;
}

/** A living replica: it has renewed within its own `ttlMs`. */
export interface Member {
  readonly replica: string;
  /** How many connections counted towards its share when it last renewed. It is -1 until it has joined. */
  readonly load: number;
}

/** Sent by each replica at every tick. */
export interface RenewRequest {
  /** Unique per start of a process. */
  readonly replica: string;
  /** From now until the renewed claims and the membership expire, in milliseconds. */
  readonly ttlMs: number;
  /** Whether this replica counts as living. A stopping replica only renews. */
  readonly member: boolean;
  /**
   * How many connections count towards its share, from which the others compute theirs. It is -1 until it has joined: at
   * the first beat, and before it has listed the connections.
   */
  readonly load: number;
  /** Its claims. If `notes` is given, it replaces the stored notes. */
  readonly held: readonly (HeldClaim & { readonly notes?: string | undefined })[];
}

/** The answer to a {@link RenewRequest}. */
export interface RenewResult {
  /** Renewed for another `ttlMs`. */
  readonly renewed: readonly string[];
  /** No longer owned with that token. */
  readonly lost: readonly string[];
  /** Owned by this replica and not in `held`, because the answer to a claim was lost. */
  readonly strays: readonly HeldClaim[];
  /** All living replicas. The asking one is included if it is a member. */
  readonly members: readonly Member[];
}

/** A replica asks for connections. */
export interface ClaimRequest {
  readonly replica: string;
  readonly ttlMs: number;
  /** Candidates, most wanted first. An id that the store has never seen is free. */
  readonly ids: readonly string[];
  /** The store takes at most this many. */
  readonly limit: number;
  /**
   * Takes only connections that have been free for this long, in milliseconds. 0 takes every free one. A connection offered
   * to this replica is taken however short it has been free. A store that lets it wait is right and only slower.
   */
  readonly freeForMs: number;
}

/** Names the one replica that may take a released connection, or the one that may not, for a time in milliseconds. */
export type Offer =
  | { readonly to: string; readonly forMs: number }
  | { readonly notTo: string; readonly forMs: number };

/** A claim to give up. */
export interface ReleasedClaim extends HeldClaim {
  /** If given, it replaces the stored notes. */
  readonly notes?: string | undefined;
  readonly offer?: Offer | undefined;
}

/** A replica gives claims up. */
export interface ReleaseRequest {
  readonly replica: string;
  readonly claims: readonly ReleasedClaim[];
  /** Whether the replica also stops being a member. */
  readonly leave: boolean;
}

/** A replica has released something. Hints may be forged: a runner only asks the store earlier because of one. */
export interface ClaimHint {
  /** The replica that released it. Empty on every subscription and re-subscription, because hints may have been lost. */
  readonly from: string;
  /** Whether that replica has stopped being a member. */
  readonly left: boolean;
}
