import {
  MemoryClaims,
  MemoryClaimServer,
  type ClaimRequest,
  type ClaimStore,
  type Offer,
  type ReleaseRequest,
  type RenewRequest,
  type RenewResult,
} from 'hydrant/exclusive';
import type { ManualClock } from 'hydrant/testing';

/** The state that both clients of a store share. */
export interface Shared {
  readonly clock: ManualClock;
  readonly server: MemoryClaimServer;
  /** The memory of a broken store. */
  readonly seen: Map<string, any>;
}

/** Puts wrong members in the place of right ones. */
export type Break = (good: MemoryClaims, shared: Shared) => Partial<ClaimStore>;

export const claiming = (change: (request: ClaimRequest, shared: Shared) => Partial<ClaimRequest>): Break => (good, shared) => ({
  claim: async (request) => good.claim({ ...request, ...change(request, shared) }),
});
export const renewing = (change: (request: RenewRequest, shared: Shared) => Partial<RenewRequest>): Break => (good, shared) => ({
  renew: async (request) => good.renew({ ...request, ...change(request, shared) }),
});
export const releasing =
  (change: (request: ReleaseRequest, shared: Shared) => Partial<ReleaseRequest>): Break =>
  (good, shared) => ({ release: async (request) => good.release({ ...request, ...change(request, shared) }) });
export const telling =
  (change: (result: RenewResult, request: RenewRequest, shared: Shared) => Partial<RenewResult>): Break =>
  (good, shared) => ({
    renew: async (request) => {
      const result = await good.renew(request);
      return { ...result, ...change(result, request, shared) };
    },
  });
export const offering = (change: (offer: Offer, replica: string) => Offer | undefined): Break =>
  releasing(({ replica, claims }) => ({
    claims: claims.map((claim) => ({ ...claim, offer: claim.offer && change(claim.offer, replica) })),
  }));

/** Takes a connection from its owner. */
export function seize({ server }: Shared, id: string): void {
  const held = server.owners().get(id);
  if (held !== undefined) server.release({ replica: held.owner, claims: [{ id, token: held.token }], leave: false });
}

/** Keeps notes by itself, and takes them from whomever `accepts` lets in. */
export const noting =
  (
    accepts: (request: { replica: string; id: string; token: bigint }, shared: Shared, call: 'renew' | 'release') => boolean,
  ): Break =>
  (good, shared) => {
    const note = (
      call: 'renew' | 'release',
      replica: string,
      claims: readonly { id: string; token: bigint; notes?: string | undefined }[],
    ): void => {
      for (const { id, token, notes } of claims)
        if (notes !== undefined && notes !== '' && accepts({ replica, id, token }, shared, call)) shared.seen.set(id, notes);
    };
    return {
      renew: (request) => {
        note('renew', request.replica, request.held);
        return good.renew(request);
      },
      release: (request) => {
        note('release', request.replica, request.claims);
        return good.release(request);
      },
      claim: async (request) =>
        (await good.claim(request)).map(({ id, token, notes }) => ({ id, token, notes: shared.seen.get(id) ?? notes })),
    };
  };
export const ownedBy = ({ replica, id, token }: { replica: string; id: string; token: bigint }, { server }: Shared): boolean => {
  const held = server.owners().get(id);
  return held?.owner === replica && held.token === token;
};

/** Remembers the owner of each connection in `seen`. */
export const remembering = (change: (good: MemoryClaims, shared: Shared) => Partial<ClaimStore>): Break => (good, shared) => ({
  claim: async (request) => {
    const claims = await good.claim(request);
    for (const { id, token } of claims) shared.seen.set(id, { owner: request.replica, id, token });
    return claims;
  },
  ...change(good, shared),
});

/** Asks with another time for released connections, or for those with an expired claim. */
export const freeFor =
  (change: (freeForMs: number, ttlMs: number) => number, wasReleased: boolean): Break =>
  (good, { seen }) => ({
    release: (request) => {
      for (const { id } of request.claims) seen.set(id, 'released');
      return good.release(request);
    },
    claim: async (request) => {
      const [changed, others] = [true, false].map((isChanged) =>
        request.ids.filter((id) => (seen.has(id) === wasReleased) === isChanged),
      );
      const taken = await good.claim({
        ...request,
        ids: changed as string[],
        freeForMs: Math.max(0, change(request.freeForMs, request.ttlMs)),
      });
      return [...taken, ...(await good.claim({ ...request, ids: others as string[], limit: request.limit - taken.length }))];
    },
  });

/** Tells a token of its own for the how many-th claim of a connection, or of a connection by one replica. */
export const tokens = (told: (count: number) => bigint, perReplica = false): Break => (good, { seen }) => {
  const real = <C extends { id: string; token: bigint }>(replica: string, held: readonly C[]): C[] =>
    held.map((one) => ({ ...one, token: seen.get(`${one.id} ${replica} ${one.token}`) ?? 0n }));
  return {
    claim: async (request) => (await good.claim(request)).map(({ id, token, notes }) => {
      const counter = perReplica ? `${id} of ${request.replica}` : id;
      seen.set(counter, (seen.get(counter) ?? 0) + 1);
      const shown = told(seen.get(counter));
      seen.set(`${id} ${request.replica} ${shown}`, token);
      return { id, token: shown, notes };
    }),
    renew: (request) => good.renew({ ...request, held: real(request.replica, request.held) }),
    release: (request) => good.release({ ...request, claims: real(request.replica, request.claims) }),
  };
};

/** Two clients of a store of claims that is right but for one thing. */
export interface BrokenClaims {
  readonly name: string;
  /** The conformance test that must fail. */
  readonly caughtBy: string;
  readonly change: Break;
}
