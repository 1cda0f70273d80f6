import assert from 'node:assert/strict';
import type { Awaitable } from '../../contracts/record.js';
import type {
  Claim,
  ClaimRequest,
  ClaimStore,
  HeldClaim,
  ReleaseRequest,
  RenewRequest,
  RenewResult,
} from '../../exclusive/claims/contract.js';

/** Two clients of one empty claim store. Every test makes them anew and closes them. */
export interface ClaimsUnderTest {
  readonly claims: ClaimStore;
  /** The same store through another client, as another replica has it. */
  readonly others: ClaimStore;
  /** Lets this many milliseconds pass on the store's clock. Advance a manual clock, or sleep. */
  wait(ms: number): Promise<unknown>;
  /** The number of connections that the store remembers. Needed with the capability `forgets`. */
  rows?(): Awaitable<number>;
  /**
   * Sets the store's clock back by this many milliseconds, or moves every stored time ahead by as much. Needed with
   * the capability `clockSetBack`.
   */
  setClockBack?(ms: number): Awaitable<unknown>;
  close?(): Awaitable<unknown>;
}

/** The settings of the store that a test needs. */
export interface ClaimStoreSettings {
  /** The store forgets a connection this many milliseconds after its claim expired. `undefined`: at any time. */
  readonly forgetAfterMs?: number;
}

/** The optional abilities of a claim store, and how long the tests wait. */
export interface ClaimCapabilities {
  /** It forgets connections without an owner, during renewals. `makeClaims` uses the settings it gets. */
  readonly forgets?: boolean;
  /** Its clock may be set back. */
  readonly clockSetBack?: boolean;
  /** It has `watch`. */
  readonly watch?: boolean;
  /** The tests' unit of time, in milliseconds. Make it much longer than one call to the store. Default 500. */
  readonly ttlMs?: number;
  /** The longest delay of a hint, in milliseconds. Default 5 000. */
  readonly hintTimeoutMs?: number;
}

/** Passed to every part of the suite. */
export interface ClaimSuite {
  readonly capabilities: ClaimCapabilities;
  readonly ttlMs: number;
  test(name: string, run: (context: ClaimTest) => Promise<void>, settings?: ClaimStoreSettings): void;
}

/** A replica's calls, with what every test repeats filled in. */
export interface TestReplica {
  readonly name: string;
  claim(ids: readonly string[], options?: Partial<ClaimRequest>): Promise<readonly Claim[]>;
  renew(held: RenewRequest['held'], options?: Partial<RenewRequest>): Promise<RenewResult>;
  release(claims: ReleaseRequest['claims'], options?: Partial<ReleaseRequest>): Promise<void>;
}

/** The argument of each test. */
export interface ClaimTest extends ClaimsUnderTest {
  readonly ttlMs: number;
  readonly a: TestReplica;
  readonly b: TestReplica;
  replica(name: string, store?: ClaimStore): TestReplica;
}

export function claimTest(made: ClaimsUnderTest, ttlMs: number): ClaimTest {
  const replica = (name: string, store = made.claims): TestReplica => ({
    name,
    claim: (wanted, options) =>
      store.claim({ replica: name, ttlMs, ids: wanted, limit: wanted.length, freeForMs: 0, ...options }),
    renew: (held, options) => store.renew({ replica: name, ttlMs, member: true, load: held.length, held, ...options }),
    release: (claims, options) => store.release({ replica: name, claims, leave: false, ...options }),
  });
  return { ...made, wait: (ms) => made.wait(ms), ttlMs, a: replica('a'), b: replica('b', made.others), replica };
}

/** The only claim of a call that must have taken exactly one. */
export function only(claims: readonly Claim[]): Claim {
  assert.equal(claims.length, 1, `expected one claim, got ${claims.length}`);
  return claims[0]!;
}

/** Ids, sorted, for comparison. */
export function ids(claims: readonly (HeldClaim | string)[]): string[] {
  return claims.map((claim) => (typeof claim === 'string' ? claim : claim.id)).toSorted();
}
