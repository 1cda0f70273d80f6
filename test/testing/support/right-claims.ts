import type { Offer } from 'hydrant/exclusive';
import { telling, type Break } from './broken-claims/breaks.js';

function demand(holds: boolean, what: string): void {
  if (!holds) throw new TypeError(`the suite asked for ${what}`);
}
const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isOffer = (offer: Offer): boolean => isText('to' in offer ? offer.to : offer.notTo) && offer.forMs >= 1;

/** Claims that are right, each in its own way: none of them may fail. */
export const RIGHT_CLAIMS: readonly { name: string; change: Break }[] = [
  {
    name: 'take nothing but what the contract allows',
    change: (good) => ({
      claim: async (request) => {
        demand(
          isText(request.replica)
            && request.ttlMs > 0
            && request.freeForMs >= 0
            && request.limit >= 0
            && request.ids.every(isText),
          'no claim',
        );
        return good.claim(request);
      },
      renew: async (request) => {
        demand(
          isText(request.replica) && request.held.every(({ id, token }) => isText(id) && typeof token === 'bigint'),
          'no renewal',
        );
        return good.renew(request);
      },
      release: async (request) => {
        demand(
          isText(request.replica)
            && request.claims.every(
              ({ id, token, offer }) => isText(id) && typeof token === 'bigint' && (offer === undefined || isOffer(offer)),
            ),
          'no release',
        );
        return good.release(request);
      },
    }),
  },
  {
    name: 'forget a connection after ninety renewals only',
    change: (good, { server, seen }) => {
      Object.defineProperty(server, 'rows', { configurable: true, get: () => ((seen.get('renewals') ?? 0) < 90 ? 2 : 1) });
      return {
        renew: (request) => {
          seen.set('renewals', (seen.get('renewals') ?? 0) + 1);
          return good.renew(request);
        },
      };
    },
  },
  { name: 'name members in another order', change: telling(({ members }) => ({ members: members.toReversed() })) },
  {
    name: 'keep no empty note',
    change: (good) => ({
      claim: async (request) =>
        (await good.claim(request)).map(({ id, token, notes }) => ({ id, token, notes: notes === '' ? undefined : notes })),
    }),
  },
  {
    name: 'say that hints may have been lost',
    change: (good) => ({
      watch: (listener) => {
        listener({ from: '', left: false });
        return good.watch(listener);
      },
    }),
  },
  {
    name: 'tell of a release a while later',
    change: (good, { clock }) => ({
      watch: (listener) => good.watch((hint) => void clock.setTimeout(() => listener(hint), 60, { ref: true })),
    }),
  },
];
