import { noting, seize, telling, type Break, type BrokenClaims } from './breaks.js';

const FORGETS = 'forgets a connection that nobody owns, keeps one that is owned, and never repeats a token';
const DEAD = 'ends the claim and membership of a dead owner one TTL after the clock was set back';
const FREED = 'frees released connections and ends offers when the clock is set back';
const KEEPS = 'keeps the claim of a living owner when the clock is set back';

/** How the store's clock follows when it is set back: by so many times as much. 0 unless said otherwise. */
export const SETTABLE = 'the clock can be set back';
const following = (factor: number): Break => (_good, { seen }) => { seen.set(SETTABLE, factor); return {}; };

/** Claims that forget the wrong rows, or follow the clock the wrong way. */
export const WRONG_FORGETTING: readonly BrokenClaims[] = [
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
  {
    name: 'take a late release of a connection they have forgotten for a claim',
    caughtBy: FORGETS,
    change: (good, { server }) => ({
      release: async (request) => {
        const isForgotten = server.rows === 1;
        await good.release(request);
        const names = request.claims.map(({ id }) => id);
        if (isForgotten) await good.claim({ replica: 'nobody', ids: names, limit: 1, ttlMs: 60_000, freeForMs: 0 });
      },
    }),
  },
  { name: 'free the claim of an owner that may be alive when the clock is set back', caughtBy: DEAD, change: following(-1) },
  {
    name: 'give the connection of a living owner to whoever asks for it',
    caughtBy: KEEPS,
    change: (good, shared) => ({
      claim: (request) => {
        for (const id of request.ids) seize(shared, id);
        return good.claim(request);
      },
    }),
  },
  {
    name: 'never give away what was released',
    caughtBy: FREED,
    change: (good, { seen }) => ({
      release: (request) => {
        for (const { id } of request.claims) seen.set(id, true);
        return good.release(request);
      },
      claim: (request) => good.claim({ ...request, ids: request.ids.filter((id) => !seen.has(id)) }),
    }),
  },
  { name: 'keep a dead owner’s claim until the clock has caught up', caughtBy: DEAD, change: following(1) },
  { name: 'keep what was released until the clock has caught up', caughtBy: FREED, change: following(1) },
  { name: 'free everything when the clock is set back', caughtBy: KEEPS, change: following(-1) },
];
