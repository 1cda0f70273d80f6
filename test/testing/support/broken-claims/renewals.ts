import { releasing, remembering, renewing, seize, telling, type BrokenClaims } from './breaks.js';

const FULL_TIME = 'renews for the full time, counted from the renewal';
const EXPIRED = 'never renews an expired claim, even if no replica has taken it';
const ONE_CALL = 'renews held claims and reports lost ones in one call';
const STRAYS = 'reports claims that a replica owns without knowing, with their tokens';
const MEMBERS = 'names the living replicas and their loads';
const GONE = 'does not count a replica that has not renewed in its time, nor one that has left';
const LEAVING = 'renews for a leaving replica without counting it';

/** Claims whose renewals are wrong. */
export const WRONG_RENEWALS: readonly BrokenClaims[] = [
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
];
