import type { ConnectionRecord } from 'hydrant';
import { describe, expect, test } from 'vitest';
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

describe('a row whose adapters cannot be made', () => {
  /** Each call of `adapters` stays open until the test ends it. */
  function making() {
    const ends: { make: () => void; fail: () => void }[] = [];
    const verification = new Verification<Row, undefined>(() => new Promise((resolve, reject) => {
      const adapter = { name: 'github', handleWebhook: async () => new Response() };
      ends.push({ make: () => resolve({ github: adapter }), fail: () => reject(new Error('the secret is missing')) });
    }));
    const verify = (id: string, version: number) =>
      verification.authenticate(delivery('s'), { record: row(id, version, 's'), secrets: undefined, signal })
        .catch((error: unknown) => String(error));
    return { ends, verify };
  }

  test('verifies the next delivery by new ones', async () => {
    const { ends, verify } = making();
    const first = verify('a', 1);
    ends[0]?.fail();
    expect(await first).toBe('Error: the secret is missing');
    const second = verify('a', 1);
    ends[1]?.make();
    expect(await second).toBe(true);
  });

  test('keeps the adapters of its next version, although those of the last one fail later', async () => {
    const { ends, verify } = making();
    const [first, second] = [verify('a', 1), verify('a', 2)];
    ends[1]?.make();
    ends[0]?.fail();
    const verdicts = [await first, await second, await verify('a', 2)];
    expect({ verdicts, made: ends.length }).toEqual({ verdicts: ['Error: the secret is missing', true, true], made: 2 });
  });

  test('fails although so many other rows were verified that it has been forgotten', async () => {
    const { ends, verify } = making();
    const first = verify('a', 1);
    const others = Array.from({ length: 300 }, (_, index) => verify(`other ${index}`, 1));
    for (const { make } of ends.slice(1)) make();
    await Promise.all(others);
    ends[0]?.fail();
    expect(await first).toBe('Error: the secret is missing');
  });
});

test('verifying logs nothing, also by an adapter that makes a logger for each of its parts', async () => {
  const lines: string[] = [];
  const loud = { debug() {}, info() {}, warn: (line: string) => { lines.push(line); }, error() {}, child: () => loud };
  const adapter = {
    name: 'github',
    logger: loud,
    async handleWebhook(): Promise<Response> {
      this.logger.child().warn('ignored');
      return new Response();
    },
  };
  const verification = new Verification<Row, undefined>(() => ({ github: adapter }));
  const verdict = await verification.authenticate(delivery('s'), { record: row('a', 1, 's'), secrets: undefined, signal });
  expect({ verdict, lines }).toEqual({ verdict: true, lines: [] });
});

test.each<{ beside: string; name: string; verified: boolean }>([
  { beside: 'an adapter without a header of its own', name: 'gchat', verified: true },
  { beside: "an adapter of the application's own", name: 'own', verified: false },
])('a delivery without the header of any platform, for a bot with GitHub and $beside', async ({ name, verified }) => {
  const adapter = (named: string) => ({ name: named, handleWebhook: async () => new Response() });
  const verification = new Verification(() => ({ github: adapter('github'), other: adapter(name) }));
  expect(await verification.authenticate(delivery('s'), { record: row('a', 1, 's'), secrets: undefined, signal })).toBe(verified);
});
