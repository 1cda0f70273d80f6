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

type Row = readonly [name: string, caughtBy: string, change: Break];

const FIRST = 'takes ids that it has never seen, most wanted first, up to the limit';
const NOBODY = 'gives what is validly owned to nobody, not even to its owner once more';
const NEXT = 'gives what has expired to the next, with a higher token, and tells the last owner so';
const RELEASED = 'gives what was released to anybody at once, with a higher token';
const TWICE = 'never gives a token twice';
const ANOTHERS = 'leaves a claim alone that is released with another token or by another replica';
const MANY = 'gives each id to one of many who ask at once, and leaves none over';
const ANY_ID = 'takes any text without NUL as an id';
const FULL_TIME = 'renews for the full time, counted from the renewal';
const EXPIRED = 'never renews what has expired, even when nobody has taken it';
const ONE_CALL = 'renews what is held and tells what is lost in one call';
const STRAYS = 'tells what a replica owns without knowing, with its token';
const MEMBERS = 'names the living replicas and their loads';
const GONE = 'does not count a replica that has not renewed in its time, nor one that has left';
const LEAVING = 'renews for one that is leaving without counting it';
const NOTES = 'keeps notes through renewals, releases and expiry';
const FORGED = 'takes no notes from one that is not the owner';
const OFFERED = 'gives what is offered to one to nobody else, and to everybody once the offer has lapsed';
const OFFERED_FIRST = 'takes what is offered before anything else';
const WITHHELD = 'keeps what is withheld from one from it alone, for a while';
const FREE_FOR = 'gives only what has been free for long enough, when asked so';
const HINTS = 'tells every watcher of a release, and who leaves';

const FORGETS = 'forgets a connection that nobody owns, keeps one that is owned, and never repeats a token';
const DEAD = 'ends a dead owner’s claim and membership one TTL after its clock was set back';
const FREED = 'frees what was released, and voids offers, when its clock is set back';

const KEEPS = 'keeps a living owner’s claim when its clock is set back';

/** How the store's clock follows when it is set back: by so many times as much. 0 unless said otherwise. */
export const SETTABLE = 'the clock can be set back';
const following = (factor: number): Break => (_good, { seen }) => { seen.set(SETTABLE, factor); return {}; };

export const BROKEN_CLAIMS: readonly Row[] = [
  ['take more than the limit', FIRST, claiming(() => ({ limit: Infinity }))],
  ['take one where none is wanted', FIRST, claiming(({ limit }) => ({ limit: Math.max(1, limit) }))],
  ['count what they pass over towards the limit', FIRST, claiming(({ ids, limit }) => ({ ids: ids.slice(0, limit) }))],
  ['take the least wanted first', FIRST, claiming(({ ids }) => ({ ids: ids.toReversed() }))],
  ['take nothing they have never seen', FIRST, claiming(() => ({ ids: [] }))],
  [
    'take something of their own where nothing is asked for',
    FIRST,
    claiming(({ ids }) => (ids.length === 0 ? { ids: ['c9'], limit: 1 } : {})),
  ],

  [
    'give what is owned to another',
    NOBODY,
    claiming(({ ids, replica }, shared) => {
      const owners = shared.server.owners();
      for (const id of ids) if (owners.has(id) && owners.get(id)?.owner !== replica) seize(shared, id);
      return {};
    }),
  ],
  [
    'give an owner what it has once more',
    NOBODY,
    claiming(({ ids, replica }, shared) => {
      const owners = shared.server.owners();
      for (const id of ids) if (owners.get(id)?.owner === replica) seize(shared, id);
      return {};
    }),
  ],

  [
    'never free what has expired',
    NEXT,
    remembering((good, { seen }) => ({
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
  ],
  [
    'count a token for every owner',
    NEXT,
    (good, { seen }) => ({
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
  ],
  ['do not tell an owner what it has lost', NEXT, telling(() => ({ lost: [] }))],
  ['go on renewing for the last owner', NEXT, telling(({ renewed, lost }) => ({ renewed: [...renewed, ...lost] }))],
  ['renew nothing for the next', NEXT, telling(() => ({ renewed: [] }))],
  [
    'take either expired or unseen ids',
    'takes expired and unseen ids in one call',
    remembering((good, { seen }) => ({
      claim: async (request) => {
        const unseen = request.ids.filter((id) => !seen.has(id));
        for (const id of unseen) seen.set(id, true);
        return good.claim(unseen.length === 0 ? request : { ...request, ids: unseen });
      },
    })),
  ],
  ['expire claims before their time', 'never expires a claim before its time', claiming(({ ttlMs }) => ({ ttlMs: ttlMs / 2 }))],

  ['free nothing before it has expired', RELEASED, releasing(() => ({ claims: [] }))],
  ['give the next owner the token of the last', RELEASED, tokens((count) => [1n, 1n, 2n][count - 1] ?? 0n)],
  ['give the token of one who released it last', RELEASED, tokens((count) => [1n, 2n, 2n][count - 1] ?? 0n)],
  ['give a token twice after a while', TWICE, tokens((count) => BigInt(count > 12 ? count - 1 : count))],
  ['begin to count again after a while', TWICE, tokens((count) => BigInt(count % 12))],
  ['count tokens for each replica', TWICE, tokens(BigInt, true)],
  [
    'release without a look at the token',
    ANOTHERS,
    releasing(({ claims, replica }, { server }) => ({
      claims: claims.map((claim) => {
        const held = server.owners().get(claim.id);
        return { ...claim, token: held?.owner === replica ? held.token : claim.token };
      }),
    })),
  ],
  [
    'release without a look at the owner',
    ANOTHERS,
    (good, { server }) => ({
      release: async (request) => {
        for (const claim of request.claims)
          server.release({ replica: server.owners().get(claim.id)?.owner ?? request.replica, claims: [claim], leave: false });
        await good.release({ ...request, claims: [] });
      },
    }),
  ],
  [
    'free for others what another has released',
    ANOTHERS,
    (good, shared) => ({
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
  ],
  [
    'fail at the release of what they have never seen',
    ANOTHERS,
    releasing(({ claims }) => {
      if (claims.some(({ id }) => id === 'c9')) throw new Error('no such row');
      return {};
    }),
  ],
  [
    'fail at the release of nothing',
    ANOTHERS,
    releasing(({ claims, leave }) => {
      if (claims.length === 0 && !leave) throw new Error('expected a row');
      return {};
    }),
  ],
  [
    'release for an owner whose time was up',
    'lets no late release of an old owner touch the new one',
    releasing(({ claims, replica }, shared) => {
      for (const { id, token } of claims)
        if (shared.server.owners().get(id)?.owner !== replica && shared.server.owners().get(id)?.token === token + 1n)
          seize(shared, id);
      return {};
    }),
  ],

  [
    'look first and take later',
    MANY,
    (_good, { server }) => ({
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
  ],
  [
    'know nothing of each other',
    MANY,
    (_good, { clock }) => {
      const own = new MemoryClaims({ server: new MemoryClaimServer({ clock }) });
      return {
        claim: (request) => own.claim(request),
        renew: (request) => own.renew(request),
        release: (request) => own.release(request),
      };
    },
  ],
  ['leave some over', MANY, claiming(({ ids }) => ({ ids: ids.filter((id) => id !== 'c59') }))],
  [
    'give many connections one token',
    MANY,
    (good) => ({
      claim: async (request) => (await good.claim(request)).map(({ id, token, notes }) => ({ id, token: token / 100n, notes })),
    }),
  ],
  ['trim ids', ANY_ID, claiming(({ ids }) => ({ ids: ids.map((id) => id.trim()) }))],
  ['cut long ids', ANY_ID, claiming(({ ids }) => ({ ids: ids.map((id) => id.slice(0, 255)) }))],
  [
    'take at most a thousand',
    'takes, renews and releases 2 000 at a time',
    claiming(({ limit }) => ({ limit: Math.min(limit, 1_000) })),
  ],
  [
    'release at most a thousand',
    'takes, renews and releases 2 000 at a time',
    releasing(({ claims }) => ({ claims: claims.slice(0, 1_000) })),
  ],

  [
    'say that they renew and do not',
    FULL_TIME,
    (good, { server, clock }) => ({
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
  ],
  ['renew for less than the full time', FULL_TIME, renewing(({ ttlMs }) => ({ ttlMs: ttlMs / 2 }))],
  ['renew for more than the full time', FULL_TIME, renewing(({ ttlMs }) => ({ ttlMs: ttlMs * 2 }))],
  [
    'let others take what was renewed',
    FULL_TIME,
    (good, shared) => ({
      claim: async (request) => {
        for (const id of request.ids) if (shared.seen.get(id) <= shared.clock.monotonic()) seize(shared, id);
        const claims = await good.claim(request);
        for (const { id } of claims) shared.seen.set(id, shared.clock.monotonic() + request.ttlMs);
        return claims;
      },
    }),
  ],
  [
    'renew what has expired and nobody has taken',
    EXPIRED,
    telling(({ renewed, lost }, _request, { server }) => ({
      renewed: [...renewed, ...lost.filter((id) => !server.owners().has(id))],
      lost: lost.filter((id) => server.owners().has(id)),
    })),
  ],
  [
    'do not say that what has expired is lost',
    EXPIRED,
    telling(({ lost }, _request, { server }) => ({ lost: lost.filter((id) => server.owners().has(id)) })),
  ],
  [
    'keep what has expired for its last owner',
    EXPIRED,
    remembering((good, { seen }) => ({
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
  ],
  [
    'renew all or nothing',
    ONE_CALL,
    telling(({ renewed, lost }) => (lost.length === 0 ? {} : { renewed: [], lost: [...renewed, ...lost] })),
  ],
  ['say nothing of ids they have never seen', ONE_CALL, telling(({ lost }) => ({ lost: lost.filter((id) => id !== 'unseen') }))],
  [
    'renew without a look at the token',
    ONE_CALL,
    renewing(({ held, replica }, { server }) => ({
      held: held.map((claim) => {
        const current = server.owners().get(claim.id);
        return { ...claim, token: current?.owner === replica ? current.token : claim.token };
      }),
    })),
  ],
  [
    'renew for who has lost it to another',
    ONE_CALL,
    telling(({ renewed, lost }, _request, { server }) => ({
      renewed: [...renewed, ...lost.filter((id) => server.owners().get(id)?.owner === 'b')],
    })),
  ],
  ['know of no strays', STRAYS, telling(() => ({ strays: [] }))],
  [
    'tell strays without their tokens',
    STRAYS,
    telling(({ strays }) => ({ strays: strays.map(({ id }) => ({ id, token: 0n })) })),
  ],
  [
    'take others’ claims for strays',
    STRAYS,
    telling(({ strays }, _request, { server }) => ({
      strays: [...strays, ...[...server.owners()].filter(([id]) => id === 'c3').map(([id, { token }]) => ({ id, token }))],
    })),
  ],
  [
    'take what is held for a stray',
    STRAYS,
    telling(({ strays }, { held }) => ({ strays: [...held.map(({ id, token }) => ({ id, token })), ...strays] })),
  ],
  [
    'take what has expired for a stray',
    STRAYS,
    remembering((good, { seen, server }) => ({
      renew: async (request) => {
        const result = await good.renew(request);
        const expired = [...seen.values()].filter(
          ({ id, owner }) => owner === request.replica && !server.owners().has(id) && id === 'c4',
        );
        return { ...result, strays: [...result.strays, ...expired] };
      },
    })),
  ],

  ['tell no loads', MEMBERS, telling(({ members }) => ({ members: members.map(({ replica }) => ({ replica, load: 0 })) }))],
  ['know no load below 0', MEMBERS, renewing(({ load }) => ({ load: Math.max(0, load) }))],
  [
    'name only who asks',
    MEMBERS,
    telling(({ members }, { replica }) => ({ members: members.filter((member) => member.replica === replica) })),
  ],
  [
    'name only the others',
    MEMBERS,
    telling(({ members }, { replica }) => ({ members: members.filter((member) => member.replica !== replica) })),
  ],
  [
    'remember the first load for ever',
    MEMBERS,
    renewing(({ replica, load }, { seen }) => ({ load: (seen.has(replica) ? seen : seen.set(replica, load)).get(replica) })),
  ],
  [
    'tell of others what they said first',
    MEMBERS,
    telling(({ members }, { replica }, { seen }) => ({
      members: members.map((member) => {
        if (!seen.has(member.replica)) seen.set(member.replica, member.load);
        return member.replica === replica ? member : { ...member, load: seen.get(member.replica) };
      }),
    })),
  ],
  [
    'count replicas for ever',
    GONE,
    telling(({ members }, _request, { seen }) => {
      for (const member of members) seen.set(member.replica, member);
      return { members: [...seen.values()] };
    }),
  ],
  ['count who has left', GONE, releasing(() => ({ leave: false }))],
  ['count who is leaving', LEAVING, renewing(() => ({ member: true }))],
  ['renew nothing for who is leaving', LEAVING, renewing(({ member, held }) => ({ held: member ? held : [] }))],
  [
    'count who was never a member',
    LEAVING,
    telling(({ members }, { replica, member }) => ({ members: member ? members : [...members, { replica, load: 0 }] })),
  ],

  [
    'make up notes',
    NOTES,
    (good) => ({
      claim: async (request) => (await good.claim(request)).map(({ id, token, notes = '' }) => ({ id, token, notes })),
    }),
  ],
  ['keep no notes of a renewal', NOTES, renewing(({ held }) => ({ held: held.map(({ id, token }) => ({ id, token })) }))],
  ['lose notes at a renewal without', NOTES, renewing(({ held }) => ({ held: held.map((claim) => ({ notes: '', ...claim })) }))],
  [
    'keep notes in Latin letters alone',
    NOTES,
    renewing(({ held }) => ({
      held: held.map((claim) => (claim.notes === undefined ? claim : { ...claim, notes: claim.notes.replaceAll('ü', '?') })),
    })),
  ],
  [
    'keep no notes of a release',
    NOTES,
    releasing(({ claims }) => ({ claims: claims.map(({ id, token, offer }) => ({ id, token, offer })) })),
  ],
  [
    'lose notes at a release without',
    NOTES,
    releasing(({ claims }) => ({ claims: claims.map((claim) => ({ notes: '', ...claim })) })),
  ],
  [
    'take an empty note for none',
    NOTES,
    releasing(({ claims }) => ({
      claims: claims.map((claim) => ({ ...claim, notes: claim.notes === '' ? undefined : claim.notes })),
    })),
  ],
  [
    'take notes of another that renews',
    FORGED,
    noting((request, shared, call) => ownedBy(request, shared) || (call === 'renew' && request.replica === 'b')),
  ],
  [
    'take notes of another that releases',
    FORGED,
    noting((request, shared, call) => ownedBy(request, shared) || (call === 'release' && request.replica === 'b')),
  ],
  ['take notes with another token', FORGED, noting(({ replica, id }, { server }) => server.owners().get(id)?.owner === replica)],

  ['know of no offers', OFFERED, offering(() => undefined)],
  ['let no offer lapse', OFFERED, offering((offer) => ({ ...offer, forMs: 1e9 }))],
  [
    'offer to everybody else',
    OFFERED,
    offering((offer, replica) => ('to' in offer ? { notTo: replica, forMs: offer.forMs } : offer)),
  ],
  [
    'offer to who gave it up, as well',
    OFFERED,
    offering((offer) => ('to' in offer ? { notTo: 'x', forMs: offer.forMs } : offer)),
  ],
  ['offer to nobody at all', OFFERED, offering((offer) => ('to' in offer ? { to: '', forMs: offer.forMs } : offer))],
  [
    'take what is offered in its turn',
    OFFERED_FIRST,
    (good) => ({
      claim: async (request) => {
        const taken = [];
        for (const id of request.ids)
          if (taken.length < request.limit) taken.push(...(await good.claim({ ...request, ids: [id], limit: 1 })));
        return taken;
      },
    }),
  ],
  ['withhold from nobody', WITHHELD, offering((offer) => ('to' in offer ? offer : undefined))],
  ['withhold from all', WITHHELD, offering((offer) => ('to' in offer ? offer : { to: '', forMs: offer.forMs }))],
  ['withhold for ever', WITHHELD, offering((offer) => ('to' in offer ? offer : { ...offer, forMs: 1e9 }))],
  [
    'keep an offer after it was taken',
    'forgets an offer once the connection was taken',
    releasing(({ claims }, { seen }) => ({
      claims: claims.map((claim) => {
        if (claim.offer !== undefined) seen.set(claim.id, claim.offer);
        return { ...claim, offer: seen.get(claim.id) };
      }),
    })),
  ],
  ['give what has only just become free', FREE_FOR, claiming(() => ({ freeForMs: 0 }))],
  ['wait for longer than was asked', FREE_FOR, claiming(({ freeForMs }) => ({ freeForMs: freeForMs * 2 }))],
  ['give at once what was released', FREE_FOR, freeFor(() => 0, true)],
  ['count what was released as free since it was claimed', FREE_FOR, freeFor((freeForMs, ttlMs) => freeForMs - ttlMs, true)],
  ['make what was released wait for twice as long', FREE_FOR, freeFor((freeForMs) => freeForMs * 2, true)],
  ['count what has expired as free since it was claimed', FREE_FOR, freeFor((freeForMs, ttlMs) => freeForMs - ttlMs, false)],
  ['make what has expired wait for twice as long', FREE_FOR, freeFor((freeForMs) => freeForMs * 2, false)],

  ['tell nobody of releases', HINTS, () => ({ watch: async () => ({ async [Symbol.asyncDispose]() {} }) })],
  [
    'tell only one watcher',
    HINTS,
    (good, { seen }) => ({
      watch: async (listener) => {
        if (seen.has('watcher')) return { async [Symbol.asyncDispose]() {} };
        seen.set('watcher', true);
        return good.watch(listener);
      },
    }),
  ],
  [
    'do not tell who leaves',
    HINTS,
    (good) => ({ watch: (listener) => good.watch(({ from }) => listener({ from, left: false })) }),
  ],
  [
    'do not tell who has released',
    HINTS,
    (good) => ({ watch: (listener) => good.watch(({ left }) => listener({ from: 'somebody', left })) }),
  ],

  [
    'forget nothing',
    FORGETS,
    (_good, { server }) => {
      Object.defineProperty(server, 'rows', { value: 2 });
      return {};
    },
  ],
  [
    'begin to count again when they have forgotten',
    FORGETS,
    (good, { seen }) => {
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
  ],
  ['keep the notes of a connection they have forgotten', FORGETS, noting(() => true)],
  [
    'forget who owns one when they forget another',
    FORGETS,
    telling((_result, { held }, { server }) => (server.rows === 1 ? { renewed: [], lost: held.map(({ id }) => id) } : {})),
  ],
  ['keep a dead owner’s claim until the clock has caught up', DEAD, following(1)],
  ['keep what was released until the clock has caught up', FREED, following(1)],
  ['free everything when the clock is set back', KEEPS, following(-1)],
];
