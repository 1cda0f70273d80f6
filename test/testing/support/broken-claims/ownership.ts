import { MemoryClaims, MemoryClaimServer } from 'hydrant/exclusive';
import { claiming, releasing, remembering, seize, telling, tokens, type BrokenClaims } from './breaks.js';

const FIRST = 'claims unseen ids in the given order, up to the limit';
const NOBODY = 'never gives a validly owned connection, not even to its owner';
const NEXT = 'gives an expired claim to the next caller, with a higher token, and reports it to the last owner as lost';
const RELEASED = 'gives a released connection to any replica at once, with a higher token';
const TWICE = 'never gives a token twice';
const ANOTHERS = 'keeps a claim that is released with another token or by another replica';
const MANY = 'gives each id to one of many concurrent callers, and leaves no id free';
const ANY_ID = 'accepts any text without NUL as an id';

/** Claims that are wrong about who owns a connection. */
export const WRONG_OWNERS: readonly BrokenClaims[] = [
  { name: 'take more than the limit', caughtBy: FIRST, change: claiming(() => ({ limit: Infinity })) },
  { name: 'take one where none is wanted', caughtBy: FIRST, change: claiming(({ limit }) => ({ limit: Math.max(1, limit) })) },
  {
    name: 'count what they pass over towards the limit',
    caughtBy: FIRST,
    change: claiming(({ ids, limit }) => ({ ids: ids.slice(0, limit) })),
  },
  { name: 'take the least wanted first', caughtBy: FIRST, change: claiming(({ ids }) => ({ ids: ids.toReversed() })) },
  { name: 'take nothing they have never seen', caughtBy: FIRST, change: claiming(() => ({ ids: [] })) },
  {
    name: 'take something of their own where nothing is asked for',
    caughtBy: FIRST,
    change: claiming(({ ids }) => (ids.length === 0 ? { ids: ['c9'], limit: 1 } : {})),
  },
  {
    name: 'give what is owned to another',
    caughtBy: NOBODY,
    change: claiming(({ ids, replica }, shared) => {
      const owners = shared.server.owners();
      for (const id of ids) if (owners.has(id) && owners.get(id)?.owner !== replica) seize(shared, id);
      return {};
    }),
  },
  {
    name: 'give an owner what it has once more',
    caughtBy: NOBODY,
    change: claiming(({ ids, replica }, shared) => {
      const owners = shared.server.owners();
      for (const id of ids) if (owners.get(id)?.owner === replica) seize(shared, id);
      return {};
    }),
  },
  {
    name: 'never free what has expired',
    caughtBy: NEXT,
    change: remembering((good, { seen }) => ({
      claim: async (request) => {
        const claims = await good.claim({ ...request, ids: request.ids.filter((id) => !seen.has(id)) });
        for (const { id } of claims) seen.set(id, true);
        return claims;
      },
      release: (request) => {
        for (const { id } of request.claims) seen.delete(id);
        return good.release(request);
      },
    })),
  },
  {
    name: 'count a token for every owner',
    caughtBy: NEXT,
    change: (good, { seen }) => ({
      claim: async (request) =>
        (await good.claim(request)).map(({ id, token, notes }) => {
          seen.set(`${id} ${request.replica}`, token);
          return { id, token: 1n, notes };
        }),
      renew: (request) =>
        good.renew({
          ...request,
          held: request.held.map((held) => ({ ...held, token: seen.get(`${held.id} ${request.replica}`) ?? 0n })),
        }),
      release: (request) =>
        good.release({
          ...request,
          claims: request.claims.map((held) => ({ ...held, token: seen.get(`${held.id} ${request.replica}`) ?? 0n })),
        }),
    }),
  },
  { name: 'do not tell an owner what it has lost', caughtBy: NEXT, change: telling(() => ({ lost: [] })) },
  {
    name: 'go on renewing for the last owner',
    caughtBy: NEXT,
    change: telling(({ renewed, lost }) => ({ renewed: [...renewed, ...lost] })),
  },
  { name: 'renew nothing for the next', caughtBy: NEXT, change: telling(() => ({ renewed: [] })) },
  { name: 'free nothing before it has expired', caughtBy: RELEASED, change: releasing(() => ({ claims: [] })) },
  {
    name: 'give the next owner the token of the last',
    caughtBy: RELEASED,
    change: tokens((count) => [1n, 1n, 2n][count - 1] ?? 0n),
  },
  {
    name: 'give the token of one who released it last',
    caughtBy: RELEASED,
    change: tokens((count) => [1n, 2n, 2n][count - 1] ?? 0n),
  },
  {
    name: 'give a token twice after a while',
    caughtBy: TWICE,
    change: tokens((count) => BigInt(count > 12 ? count - 1 : count)),
  },
  { name: 'begin to count again after a while', caughtBy: TWICE, change: tokens((count) => BigInt(count % 12)) },
  { name: 'count tokens for each replica', caughtBy: TWICE, change: tokens(BigInt, true) },
  {
    name: 'release without a look at the token',
    caughtBy: ANOTHERS,
    change: releasing(({ claims, replica }, { server }) => ({
      claims: claims.map((claim) => {
        const held = server.owners().get(claim.id);
        return { ...claim, token: held?.owner === replica ? held.token : claim.token };
      }),
    })),
  },
  {
    name: 'release without a look at the owner',
    caughtBy: ANOTHERS,
    change: (good, { server }) => ({
      release: async (request) => {
        for (const claim of request.claims)
          server.release({ replica: server.owners().get(claim.id)?.owner ?? request.replica, claims: [claim], leave: false });
        await good.release({ ...request, claims: [] });
      },
    }),
  },
  {
    name: 'free for others what another has released',
    caughtBy: ANOTHERS,
    change: (good, shared) => ({
      release: (request) => {
        for (const { id } of request.claims)
          if (shared.server.owners().get(id)?.owner !== request.replica) shared.seen.set(id, 'free');
        return good.release(request);
      },
      claim: async (request) => {
        for (const id of request.ids) if (shared.seen.has(id)) seize(shared, id);
        return good.claim(request);
      },
    }),
  },
  {
    name: 'fail at the release of what they have never seen',
    caughtBy: ANOTHERS,
    change: releasing(({ claims }) => {
      if (claims.some(({ id }) => id === 'c9')) throw new Error('no such row');
      return {};
    }),
  },
  {
    name: 'fail at the release of nothing',
    caughtBy: ANOTHERS,
    change: releasing(({ claims, leave }) => {
      if (claims.length === 0 && !leave) throw new Error('expected a row');
      return {};
    }),
  },
  {
    name: 'look first and take later',
    caughtBy: MANY,
    change: (_good, { server }) => ({
      claim: async ({ ids, limit, ...request }) => {
        const free = ids.filter((id) => !server.owners().has(id)).slice(0, limit);
        await Promise.resolve();
        return free.flatMap((id) => {
          const held = server.owners().get(id);
          if (held !== undefined) server.release({ replica: held.owner, claims: [{ id, token: held.token }], leave: false });
          return server.claim({ ...request, ids: [id], limit: 1 });
        });
      },
    }),
  },
  {
    name: 'know nothing of each other',
    caughtBy: MANY,
    change: (_good, { clock }) => {
      const own = new MemoryClaims({ server: new MemoryClaimServer({ clock }) });
      return {
        claim: (request) => own.claim(request),
        renew: (request) => own.renew(request),
        release: (request) => own.release(request),
      };
    },
  },
  { name: 'leave some over', caughtBy: MANY, change: claiming(({ ids }) => ({ ids: ids.filter((id) => id !== 'c59') })) },
  {
    name: 'give many connections one token',
    caughtBy: MANY,
    change: (good) => ({
      claim: async (request) => (await good.claim(request)).map(({ id, token, notes }) => ({ id, token: token / 100n, notes })),
    }),
  },
  { name: 'trim ids', caughtBy: ANY_ID, change: claiming(({ ids }) => ({ ids: ids.map((id) => id.trim()) })) },
  { name: 'cut long ids', caughtBy: ANY_ID, change: claiming(({ ids }) => ({ ids: ids.map((id) => id.slice(0, 255)) })) },
  {
    name: 'take either expired or unseen ids',
    caughtBy: 'claims expired and unseen ids in one call',
    change: remembering((good, { seen }) => ({
      claim: async (request) => {
        const unseen = request.ids.filter((id) => !seen.has(id));
        for (const id of unseen) seen.set(id, true);
        return good.claim(unseen.length === 0 ? request : { ...request, ids: unseen });
      },
    })),
  },
  {
    name: 'expire claims before their time',
    caughtBy: 'never expires a claim before its time',
    change: claiming(({ ttlMs }) => ({ ttlMs: ttlMs / 2 })),
  },
  {
    name: 'release for an owner whose time was up',
    caughtBy: 'ignores the late release of an old owner',
    change: releasing(({ claims, replica }, shared) => {
      for (const { id, token } of claims)
        if (shared.server.owners().get(id)?.owner !== replica && shared.server.owners().get(id)?.token === token + 1n)
          seize(shared, id);
      return {};
    }),
  },
  {
    name: 'take at most a thousand',
    caughtBy: 'claims, renews and releases 2 000 connections at a time',
    change: claiming(({ limit }) => ({ limit: Math.min(limit, 1_000) })),
  },
  {
    name: 'release at most a thousand',
    caughtBy: 'claims, renews and releases 2 000 connections at a time',
    change: releasing(({ claims }) => ({ claims: claims.slice(0, 1_000) })),
  },
];
