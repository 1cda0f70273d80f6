import { claiming, freeFor, noting, offering, ownedBy, releasing, renewing, type BrokenClaims } from './breaks.js';

const NOTES = 'keeps notes through renewals, releases and expiry';
const FORGED = 'ignores the notes of a replica that is not the owner';
const OFFERED = 'gives an offered connection to one replica only, and to every replica after the offer has expired';
const OFFERED_FIRST = 'claims offered connections first';
const WITHHELD = 'keeps a withheld connection from one replica only, for a time';
const FREE_FOR = 'with freeForMs, gives only connections that have been free for that long';
const HINTS = 'reports each release and each leaving replica to every watcher';

/** Claims that are wrong about notes, offers and hints. */
export const WRONG_HAND_OVERS: readonly BrokenClaims[] = [
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
    name: 'keep an offer after it was taken',
    caughtBy: 'forgets an offer when the connection is claimed',
    change: releasing(({ claims }, { seen }) => ({
      claims: claims.map((claim) => {
        if (claim.offer !== undefined) seen.set(claim.id, claim.offer);
        return { ...claim, offer: seen.get(claim.id) };
      }),
    })),
  },
];
