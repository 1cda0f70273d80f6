import type { ConnectionRecord } from 'hydrant';
import { expect, test } from 'vitest';
import { Verification } from '../../src/chat/verification.js';

interface Row extends ConnectionRecord { readonly secret: string }

const row = (id: string, version: string | number, secret: string): Row => ({ id, version, status: 'active', secret });
const { signal } = new AbortController();
const delivery = (secret: string): Request => new Request('https://gateway', { method: 'POST', headers: { secret } });

function verifying() {
  let made = 0;
  const verification = new Verification<Row, unknown>(({ secret }) => {
    made += 1;
    return {
      github: {
        name: 'github',
        handleWebhook: async (request) => new Response(null, { status: request.headers.get('secret') === secret ? 200 : 401 }),
      },
    };
  });
  const verify = (record: Row, secret: string, secrets?: unknown): Promise<boolean | Response> =>
    verification.authenticate(delivery(secret), { record, secrets, signal });
  return { verify, made: () => made };
}

test('a delivery is verified with the secret of its own row, also if ids and versions hold spaces', async () => {
  const { verify } = verifying();
  const [one, other] = [row('a', '1 2', 'of a'), row('a 1', '2', 'of a 1')];
  expect({
    one: await verify(one, 'of a'), otherWithTheSecretOfOne: await verify(other, 'of a'), other: await verify(other, 'of a 1'),
  }).toEqual({ one: true, otherWithTheSecretOfOne: false, other: true });
});

test('a verifier is kept until the row or its secrets change', async () => {
  const { verify, made } = verifying();
  const secrets = {};
  await verify(row('a', 1, 's'), 's', secrets);
  await verify(row('a', '1', 's'), 's', secrets);
  expect(made()).toBe(1);
  await verify(row('a', 2, 's'), 's', secrets);
  await verify(row('a', 2, 's'), 's', {});
  expect(made()).toBe(3);
});

test.each<{ beside: string; name: string; verified: boolean }>([
  { beside: 'an adapter without a header of its own', name: 'gchat', verified: true },
  { beside: "an adapter of the application's own", name: 'own', verified: false },
])('a delivery without the header of any platform, for a bot with GitHub and $beside', async ({ name, verified }) => {
  const adapter = (named: string) => ({ name: named, handleWebhook: async () => new Response() });
  const verification = new Verification(() => ({ github: adapter('github'), other: adapter(name) }));
  expect(await verification.authenticate(delivery('s'), { record: row('a', 1, 's'), secrets: undefined, signal })).toBe(verified);
});
