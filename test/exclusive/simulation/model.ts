import type { Claim, ClaimRequest, ReleaseRequest, RenewRequest, RenewResult } from 'hydrant/exclusive';

interface Owned { readonly replica: string; readonly token: bigint; readonly expiresAt: number }

/** A loop of some replica, as the model sees it from outside. */
export interface Loop {
  readonly replica: string;
  readonly id: string;
  readonly token: bigint;
  /** Whether `run` has returned. */
  ended: boolean;
  readonly aborted: () => boolean;
  /** Whether its process has run for a tick since the machine was suspended: else it cannot have heard of anything. */
  readonly awake: () => boolean;
}

export class Violation extends Error {}

/**
 * Judges a run by the calls to the store, the times of its answers, and the loops that ran. It does not know how claims
 * are kept or how a runner decides.
 */
export class Model {
  readonly loops = new Set<Loop>();
  polls = 0;
  takeovers = 0;
  /**
   * The first violation. It is kept here because it may be thrown inside a loop, whose exceptions the runner takes for
   * failed starts.
   */
  violation: Violation | undefined;
  readonly #owned = new Map<string, Owned>();
  readonly #highest = new Map<string, bigint>();

  /** The store has carried out a claim. */
  claimed(now: number, { replica, ttlMs, ids, limit }: ClaimRequest, claims: readonly Claim[]): void {
    this.#check(claims.length <= limit, () => `${replica} was given ${claims.length} claims and had asked for ${limit}`);
    for (const { id, token } of claims) {
      const owner = this.#owned.get(id);
      this.#check(ids.includes(id), () => `${replica} was given ${id} without asking`);
      this.#check(
        owner === undefined || owner.expiresAt <= now,
        () => `${replica} was given ${id}, which ${owner?.replica} validly owns`,
      );
      this.#check(token > (this.#highest.get(id) ?? 0n), () => `the token ${token} of ${id} does not rise`);
      if (owner !== undefined) this.#takenOver(owner, id);
      this.#highest.set(id, token);
      this.#owned.set(id, { replica, token, expiresAt: now + ttlMs });
    }
  }

  renewed(now: number, { replica, ttlMs, held }: RenewRequest, { renewed, lost }: RenewResult): void {
    for (const id of renewed) {
      const { token } = held.find((claim) => claim.id === id)!;
      this.#check(this.#owns(now, replica, id, token), () => `${id} was renewed for ${replica}, which does not own it`);
      this.#owned.set(id, { replica, token, expiresAt: now + ttlMs });
    }
    for (const id of lost) {
      const { token } = held.find((claim) => claim.id === id)!;
      this.#check(!this.#owns(now, replica, id, token), () => `${replica} was told that ${id} is lost, which it owns`);
    }
  }

  released(now: number, { replica, claims }: ReleaseRequest): void {
    for (const { id, token } of claims) {
      for (const loop of this.loops) {
        const same = loop.replica === replica && loop.id === id && loop.token === token;
        this.#check(!same || loop.ended, () => `${replica} released ${id} while its loop was running`);
      }
      if (this.#owns(now, replica, id, token)) this.#owned.delete(id);
    }
  }

  /** `run` was called. */
  began(loop: Loop): void {
    for (const other of this.loops) {
      this.#check(
        other.ended || other.replica !== loop.replica || other.id !== loop.id,
        () => `${loop.replica} runs two loops for ${loop.id}`,
      );
    }
    this.loops.add(loop);
  }

  /** A loop did, right after `assertHeld`, what only the owner may do. */
  polled(now: number, loop: Loop): void {
    this.polls += 1;
    this.#check(
      this.#owns(now, loop.replica, loop.id, loop.token),
      () => `${loop.replica} polled ${loop.id} with token ${loop.token}, which is `
        + JSON.stringify(this.#owned.get(loop.id), (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    );
    this.#check(
      loop.token === this.#highest.get(loop.id),
      () => `${loop.replica} polled ${loop.id} with token ${loop.token} after ${this.#highest.get(loop.id)} was given`,
    );
  }

  #owns(now: number, replica: string, id: string, token: bigint): boolean {
    const owner = this.#owned.get(id);
    return owner !== undefined && owner.replica === replica && owner.token === token && owner.expiresAt > now;
  }

  #takenOver(owner: Owned, id: string): void {
    this.takeovers += 1;
    for (const loop of this.loops) {
      if (loop.replica !== owner.replica || loop.id !== id || loop.token !== owner.token || loop.ended || !loop.awake()) continue;
      this.#check(loop.aborted(), () => `${id} was taken from ${owner.replica}, which was running and had not been told to stop`);
    }
  }

  /** @param otherwise - called only for a violation, because most checks hold */
  #check(holds: boolean, otherwise: () => string): void {
    if (holds) return;
    this.violation ??= new Violation(otherwise());
    throw this.violation;
  }
}
