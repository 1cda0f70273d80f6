import { MemoryClaims, MemoryClaimServer } from 'hydrant/exclusive';
import {
  claiming,
  renewing,
  releasing,
  telling,
  offering,
  seize,
  noting,
  ownedBy,
  remembering,
  freeFor,
  tokens,
  type Break,
} from './claim-breaks.js';

interface BrokenClaims {
  readonly name: string;
  /** The conformance test that must fail. */
  readonly caughtBy: string;
  readonly change: Break;
}

const FIRST = 'claims unseen ids in the given order, up to the limit';
const NOBODY = 'never gives a validly owned connection, not even to its owner';
const NEXT = 'gives an expired claim to the next caller, with a higher token, and reports it to the last owner as lost';
const RELEASED = 'gives a released connection to any replica at once, with a higher token';
const TWICE = 'never gives a token twice';
const ANOTHERS = 'keeps a claim that is released with another token or by another replica';
const MANY = 'gives each id to one of many concurrent callers, and leaves no id free';
const ANY_ID = 'accepts any text without NUL as an id';
const FULL_TIME = 'renews for the full time, counted from the renewal';
const EXPIRED = 'never renews an expired claim, even if no replica has taken it';
const ONE_CALL = 'renews held claims and reports lost ones in one call';
const STRAYS = 'reports claims that a replica owns without knowing, with their tokens';
const MEMBERS = 'names the living replicas and their loads';
const GONE = 'does not count a replica that has not renewed in its time, nor one that has left';
const LEAVING = 'renews for a leaving replica without counting it';
const NOTES = 'keeps notes through renewals, releases and expiry';
const FORGED = 'ignores the notes of a replica that is not the owner';
const OFFERED = 'gives an offered connection to one replica only, and to every replica after the offer has expired';
const OFFERED_FIRST = 'claims offered connections first';
const WITHHELD = 'keeps a withheld connection from one replica only, for a time';
const FREE_FOR = 'with freeForMs, gives only connections that have been free for that long';
const HINTS = 'reports each release and each leaving replica to every watcher';

const FORGETS = 'forgets a connection that nobody owns, keeps one that is owned, and never repeats a token';
const DEAD = 'ends the claim and membership of a dead owner one TTL after the clock was set back';
const FREED = 'frees released connections and ends offers when the clock is set back';

const KEEPS = 'keeps the claim of a living owner when the clock is set back';

/** How the store's clock follows when it is set back: by so many times as much. 0 unless said otherwise. */
export const SETTABLE = 'the clock can be set back';
const following = (factor: number): Break => (_good, { seen }) => { seen.set(SETTABLE, factor); return {}; };

export const BROKEN_CLAIMS: readonly BrokenClaims[] = [
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
    name: 'take at most a thousand',
    caughtBy: 'claims, renews and releases 2 000 connections at a time',
    change: claiming(({ limit }) => ({ limit: Math.min(limit, 1_000) })),
  },
  {
    name: 'release at most a thousand',
    caughtBy: 'claims, renews and releases 2 000 connections at a time',
    change: releasing(({ claims }) => ({ claims: claims.slice(0, 1_000) })),
  },

  {
    name: 'say that they renew and do not',
    caughtBy: FULL_TIME,
    change: (good, { server, clock }) => ({
      renew: async (request) => {
        const claims = [...server.owners()]
          .filter(([id, { owner }]) => owner === request.replica && request.held.some((held) => held.id === id))
          .map(([id]) => id);
        return {
          ...(await good.renew({ ...request, held: [] })),
          renewed: claims,
          lost: request.held.map(({ id }) => id).filter((id) => clock.now() > 0 && !claims.includes(id)),
        };
      },
    }),
  },
  { name: 'renew for less than the full time', caughtBy: FULL_TIME, change: renewing(({ ttlMs }) => ({ ttlMs: ttlMs / 2 })) },
  { name: 'renew for more than the full time', caughtBy: FULL_TIME, change: renewing(({ ttlMs }) => ({ ttlMs: ttlMs * 2 })) },
  {
    name: 'let others take what was renewed',
    caughtBy: FULL_TIME,
    change: (good, shared) => ({
      claim: async (request) => {
        for (const id of request.ids) if (shared.seen.get(id) <= shared.clock.monotonic()) seize(shared, id);
        const claims = await good.claim(request);
        for (const { id } of claims) shared.seen.set(id, shared.clock.monotonic() + request.ttlMs);
        return claims;
      },
    }),
  },
  {
    name: 'renew what has expired and nobody has taken',
    caughtBy: EXPIRED,
    change: telling(({ renewed, lost }, _request, { server }) => ({
      renewed: [...renewed, ...lost.filter((id) => !server.owners().has(id))],
      lost: lost.filter((id) => server.owners().has(id)),
    })),
  },
  {
    name: 'do not say that what has expired is lost',
    caughtBy: EXPIRED,
    change: telling(({ lost }, _request, { server }) => ({ lost: lost.filter((id) => server.owners().has(id)) })),
  },
  {
    name: 'keep what has expired for its last owner',
    caughtBy: EXPIRED,
    change: remembering((good, { seen }) => ({
      claim: async (request) => {
        const claims = await good.claim({
          ...request,
          ids: request.ids.filter((id) => (seen.get(id) ?? request.replica) === request.replica),
        });
        for (const { id } of claims) seen.set(id, request.replica);
        return claims;
      },
      release: (request) => {
        for (const { id } of request.claims) seen.delete(id);
        return good.release(request);
      },
    })),
  },
  {
    name: 'renew all or nothing',
    caughtBy: ONE_CALL,
    change: telling(({ renewed, lost }) => (lost.length === 0 ? {} : { renewed: [], lost: [...renewed, ...lost] })),
  },
  {
    name: 'say nothing of ids they have never seen',
    caughtBy: ONE_CALL,
    change: telling(({ lost }) => ({ lost: lost.filter((id) => id !== 'unseen') })),
  },
  {
    name: 'renew without a look at the token',
    caughtBy: ONE_CALL,
    change: renewing(({ held, replica }, { server }) => ({
      held: held.map((claim) => {
        const current = server.owners().get(claim.id);
        return { ...claim, token: current?.owner === replica ? current.token : claim.token };
      }),
    })),
  },
  {
    name: 'renew for who has lost it to another',
    caughtBy: ONE_CALL,
    change: telling(({ renewed, lost }, _request, { server }) => ({
      renewed: [...renewed, ...lost.filter((id) => server.owners().get(id)?.owner === 'b')],
    })),
  },
  { name: 'know of no strays', caughtBy: STRAYS, change: telling(() => ({ strays: [] })) },
  {
    name: 'tell strays without their tokens',
    caughtBy: STRAYS,
    change: telling(({ strays }) => ({ strays: strays.map(({ id }) => ({ id, token: 0n })) })),
  },
  {
    name: 'take others’ claims for strays',
    caughtBy: STRAYS,
    change: telling(({ strays }, _request, { server }) => ({
      strays: [...strays, ...[...server.owners()].filter(([id]) => id === 'c3').map(([id, { token }]) => ({ id, token }))],
    })),
  },
  {
    name: 'take what is held for a stray',
    caughtBy: STRAYS,
    change: telling(({ strays }, { held }) => ({ strays: [...held.map(({ id, token }) => ({ id, token })), ...strays] })),
  },
  {
    name: 'take what has expired for a stray',
    caughtBy: STRAYS,
    change: remembering((good, { seen, server }) => ({
      renew: async (request) => {
        const result = await good.renew(request);
        const expired = [...seen.values()].filter(
          ({ id, owner }) => owner === request.replica && !server.owners().has(id) && id === 'c4',
        );
        return { ...result, strays: [...result.strays, ...expired] };
      },
    })),
  },

  {
    name: 'tell no loads',
    caughtBy: MEMBERS,
    change: telling(({ members }) => ({ members: members.map(({ replica }) => ({ replica, load: 0 })) })),
  },
  { name: 'know no load below 0', caughtBy: MEMBERS, change: renewing(({ load }) => ({ load: Math.max(0, load) })) },
  {
    name: 'name only who asks',
    caughtBy: MEMBERS,
    change: telling(({ members }, { replica }) => ({ members: members.filter((member) => member.replica === replica) })),
  },
  {
    name: 'name only the others',
    caughtBy: MEMBERS,
    change: telling(({ members }, { replica }) => ({ members: members.filter((member) => member.replica !== replica) })),
  },
  {
    name: 'remember the first load for ever',
    caughtBy: MEMBERS,
    change: renewing(({ replica, load }, { seen }) => ({
      load: (seen.has(replica) ? seen : seen.set(replica, load)).get(replica),
    })),
  },
  {
    name: 'tell of others what they said first',
    caughtBy: MEMBERS,
    change: telling(({ members }, { replica }, { seen }) => ({
      members: members.map((member) => {
        if (!seen.has(member.replica)) seen.set(member.replica, member.load);
        return member.replica === replica ? member : { ...member, load: seen.get(member.replica) };
      }),
    })),
  },
  {
    name: 'count replicas for ever',
    caughtBy: GONE,
    change: telling(({ members }, _request, { seen }) => {
      for (const member of members) seen.set(member.replica, member);
      return { members: [...seen.values()] };
    }),
  },
  { name: 'count who has left', caughtBy: GONE, change: releasing(() => ({ leave: false })) },
  { name: 'count who is leaving', caughtBy: LEAVING, change: renewing(() => ({ member: true })) },
  {
    name: 'renew nothing for who is leaving',
    caughtBy: LEAVING,
    change: renewing(({ member, held }) => ({ held: member ? held : [] })),
  },
  {
    name: 'count who was never a member',
    caughtBy: LEAVING,
    change: telling(({ members }, { replica, member }) => ({ members: member ? members : [...members, { replica, load: 0 }] })),
  },

  {
    name: 'make up notes',
    caughtBy: NOTES,
    change: (good) => ({
      claim: async (request) => (await good.claim(request)).map(({ id, token, notes = '' }) => ({ id, token, notes })),
    }),
  },
  {
    name: 'keep no notes of a renewal',
    caughtBy: NOTES,
    change: renewing(({ held }) => ({ held: held.map(({ id, token }) => ({ id, token })) })),
  },
  {
    name: 'lose notes at a renewal without',
    caughtBy: NOTES,
    change: renewing(({ held }) => ({ held: held.map((claim) => ({ notes: '', ...claim })) })),
  },
  {
    name: 'keep notes in Latin letters alone',
    caughtBy: NOTES,
    change: renewing(({ held }) => ({
      held: held.map((claim) => (claim.notes === undefined ? claim : { ...claim, notes: claim.notes.replaceAll('ü', '?') })),
    })),
  },
  {
    name: 'keep no notes of a release',
    caughtBy: NOTES,
    change: releasing(({ claims }) => ({ claims: claims.map(({ id, token, offer }) => ({ id, token, offer })) })),
  },
  {
    name: 'lose notes at a release without',
    caughtBy: NOTES,
    change: releasing(({ claims }) => ({ claims: claims.map((claim) => ({ notes: '', ...claim })) })),
  },
  {
    name: 'take an empty note for none',
    caughtBy: NOTES,
    change: releasing(({ claims }) => ({
      claims: claims.map((claim) => ({ ...claim, notes: claim.notes === '' ? undefined : claim.notes })),
    })),
  },
  {
    name: 'take notes of another that renews',
    caughtBy: FORGED,
    change: noting((request, shared, call) => ownedBy(request, shared) || (call === 'renew' && request.replica === 'b')),
  },
  {
    name: 'take notes of another that releases',
    caughtBy: FORGED,
    change: noting((request, shared, call) => ownedBy(request, shared) || (call === 'release' && request.replica === 'b')),
  },
  {
    name: 'take notes with another token',
    caughtBy: FORGED,
    change: noting(({ replica, id }, { server }) => server.owners().get(id)?.owner === replica),
  },

  { name: 'know of no offers', caughtBy: OFFERED, change: offering(() => undefined) },
  { name: 'let no offer lapse', caughtBy: OFFERED, change: offering((offer) => ({ ...offer, forMs: 1e9 })) },
  {
    name: 'offer to everybody else',
    caughtBy: OFFERED,
    change: offering((offer, replica) => ('to' in offer ? { notTo: replica, forMs: offer.forMs } : offer)),
  },
  {
    name: 'offer to who gave it up, as well',
    caughtBy: OFFERED,
    change: offering((offer) => ('to' in offer ? { notTo: 'x', forMs: offer.forMs } : offer)),
  },
  {
    name: 'offer to nobody at all',
    caughtBy: OFFERED,
    change: offering((offer) => ('to' in offer ? { to: '', forMs: offer.forMs } : offer)),
  },
  {
    name: 'take what is offered in its turn',
    caughtBy: OFFERED_FIRST,
    change: (good) => ({
      claim: async (request) => {
        const taken = [];
        for (const id of request.ids)
          if (taken.length < request.limit) taken.push(...(await good.claim({ ...request, ids: [id], limit: 1 })));
        return taken;
      },
    }),
  },
  { name: 'withhold from nobody', caughtBy: WITHHELD, change: offering((offer) => ('to' in offer ? offer : undefined)) },
  {
    name: 'withhold from all',
    caughtBy: WITHHELD,
    change: offering((offer) => ('to' in offer ? offer : { to: '', forMs: offer.forMs })),
  },
  {
    name: 'withhold for ever',
    caughtBy: WITHHELD,
    change: offering((offer) => ('to' in offer ? offer : { ...offer, forMs: 1e9 })),
  },
  {
    name: 'keep an offer after it was taken',
    caughtBy: 'forgets an offer when the connection is claimed',
    change: releasing(({ claims }, { seen }) => ({
      claims: claims.map((claim) => {
        if (claim.offer !== undefined) seen.set(claim.id, claim.offer);
        return { ...claim, offer: seen.get(claim.id) };
      }),
    })),
  },
  { name: 'give what has only just become free', caughtBy: FREE_FOR, change: claiming(() => ({ freeForMs: 0 })) },
  {
    name: 'wait for longer than was asked',
    caughtBy: FREE_FOR,
    change: claiming(({ freeForMs }) => ({ freeForMs: freeForMs * 2 })),
  },
  { name: 'give at once what was released', caughtBy: FREE_FOR, change: freeFor(() => 0, true) },
  {
    name: 'count what was released as free since it was claimed',
    caughtBy: FREE_FOR,
    change: freeFor((freeForMs, ttlMs) => freeForMs - ttlMs, true),
  },
  {
    name: 'make what was released wait for twice as long',
    caughtBy: FREE_FOR,
    change: freeFor((freeForMs) => freeForMs * 2, true),
  },
  {
    name: 'count what has expired as free since it was claimed',
    caughtBy: FREE_FOR,
    change: freeFor((freeForMs, ttlMs) => freeForMs - ttlMs, false),
  },
  {
    name: 'make what has expired wait for twice as long',
    caughtBy: FREE_FOR,
    change: freeFor((freeForMs) => freeForMs * 2, false),
  },

  {
    name: 'tell nobody of releases',
    caughtBy: HINTS,
    change: () => ({ watch: async () => ({ async [Symbol.asyncDispose]() {} }) }),
  },
  {
    name: 'tell only one watcher',
    caughtBy: HINTS,
    change: (good, { seen }) => ({
      watch: async (listener) => {
        if (seen.has('watcher')) return { async [Symbol.asyncDispose]() {} };
        seen.set('watcher', true);
        return good.watch(listener);
      },
    }),
  },
  {
    name: 'do not tell who leaves',
    caughtBy: HINTS,
    change: (good) => ({ watch: (listener) => good.watch(({ from }) => listener({ from, left: false })) }),
  },
  {
    name: 'do not tell who has released',
    caughtBy: HINTS,
    change: (good) => ({ watch: (listener) => good.watch(({ left }) => listener({ from: 'somebody', left })) }),
  },

  {
    name: 'forget nothing',
    caughtBy: FORGETS,
    change: (_good, { server }) => {
      Object.defineProperty(server, 'rows', { value: 2 });
      return {};
    },
  },
  {
    name: 'begin to count again when they have forgotten',
    caughtBy: FORGETS,
    change: (good, { seen }) => {
      const told = (id: string, token: bigint): bigint => (id === 'gone' ? (seen.set(id, token), 1n) : token);
      return {
        claim: async (request) =>
          (await good.claim(request)).map(({ id, token, notes }) => ({ id, token: told(id, token), notes })),
        release: (request) =>
          good.release({
            ...request,
            claims: request.claims.map(({ id, token, notes }) => ({ id, token: id === 'gone' ? seen.get(id) : token, notes })),
          }),
      };
    },
  },
  { name: 'keep the notes of a connection they have forgotten', caughtBy: FORGETS, change: noting(() => true) },
  {
    name: 'forget who owns one when they forget another',
    caughtBy: FORGETS,
    change: telling((_result, { held }, { server }) =>
      server.rows === 1 ? { renewed: [], lost: held.map(({ id }) => id) } : {},
    ),
  },
  { name: 'keep a dead owner’s claim until the clock has caught up', caughtBy: DEAD, change: following(1) },
  { name: 'keep what was released until the clock has caught up', caughtBy: FREED, change: following(1) },
  { name: 'free everything when the clock is set back', caughtBy: KEEPS, change: following(-1) },
];
