import { expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { post, webhookHarness } from '../support/webhooks.js';

test("with 'drain-first', two uses that share a read which must be repeated both get the instance", async () => {
  const verdict = deferred<boolean>();
  const h = webhookHarness({
    replacement: 'drain-first', failureBackoff: { initialMs: 0, maxMs: 0 }, factory: { authenticate: () => verdict.promise },
  });
  h.rows.put('a');
  const lease = await h.registry.acquire('a');
  h.rows.hold();
  const delivery = h.registry.handleWebhook('a', post());
  await h.settle();
  const disposeWhileTheRowIsRead = async (): Promise<void> => {
    lease.retire();
    lease.release();
    await h.settle();
  };
  await disposeWhileTheRowIsRead();
  h.rows.letGo();
  await h.settle();

  const uses = [1, 2].map(() => h.registry.use('a', ({ name }) => name));
  await h.settle();
  h.rows.letAllGo();
  await h.settle();
  expect(await Promise.all(uses)).toEqual(['a@v1#1', 'a@v1#1']);
  verdict.resolve(true);
  expect((await delivery).status).toBe(200);
});
