import { expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { post, webhookHarness } from '../support/webhooks.js';

const PLACES = 64;

test('calls of secrets that were invalidated while queued do not block the others', async () => {
  const asked: string[] = [];
  const vault = deferred<string>();
  const h = webhookHarness({
    acquireTimeoutMs: 1_000,
    factory: { secrets: ({ id }) => { asked.push(id); return asked.length <= PLACES ? vault.promise : 'secret'; } },
  });
  const ids = (kind: string): string[] => Array.from({ length: PLACES }, (_, index) => `${kind}${index}`);
  for (const id of [...ids('slow'), ...ids('waiting'), 'later']) h.rows.put(id);
  const send = (id: string): Promise<number> => h.registry.handleWebhook(id, post()).then(({ status }) => status);
  const slow = ids('slow').map(send);
  await h.settle();
  const before = ids('waiting').map(send);
  await h.settle();
  expect(asked.length).toBe(PLACES);
  void h.registry.invalidateWhere(() => true);
  const after = ids('waiting').map(send);
  await h.settle();
  vault.resolve('secret');
  for (let i = 0; i < 20; i += 1) await h.settle();
  await h.clock.advance(1_000);
  const later = send('later');
  for (let i = 0; i < 20; i += 1) await h.settle();
  await h.clock.advance(1_000);
  const count = async (all: Promise<number>[]): Promise<number> =>
    (await Promise.all(all)).filter((status) => status === 200).length;
  expect({ slow: await count(slow), before: await count(before), after: await count(after), later: await later })
    .toEqual({ slow: PLACES, before: PLACES, after: PLACES, later: 200 });
});
