import { expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { Harness } from '../support/harness.js';

test('a webhook being authenticated does not revive a connection that is found stopped meanwhile', async () => {
  const verdict = deferred<boolean>();
  const h = new Harness({
    sweepIntervalMs: 0,
    factory: { authenticate: () => verdict.promise, handleWebhook: () => new Response() },
  });
  h.rows.put('a');
  const response = h.registry.handleWebhook('a', new Request('http://gateway.test/a', { method: 'POST' }));
  await h.settle();
  await h.clock.advance(5);
  h.rows.stop('a');
  await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'CONNECTION_STOPPED' });
  await h.clock.advance(5);

  verdict.resolve(true);
  expect((await response).status).toBe(404);
  expect(h.log).toEqual([]);
  expect(h.rows.reads).toHaveLength(3);
});

test('a webhook being authenticated does not revive a version that is found replaced meanwhile', async () => {
  const verdicts = [deferred<boolean>(), deferred<boolean>()];
  let asked = 0;
  const served: string[] = [];
  const h = new Harness({
    factory: {
      // The first delivery was authenticated with version 1, and is authenticated again with version 2, which serves it.
      authenticate: () => verdicts[asked++]?.promise ?? true,
      handleWebhook: ({ name }) => { served.push(name); return new Response(); },
    },
  });
  const deliver = () => h.registry.handleWebhook('a', new Request('http://gateway.test/a', { method: 'POST' }));
  h.rows.put('a');
  const first = deliver();
  await h.settle();
  h.rows.put('a');
  const second = deliver();
  await h.settle();

  verdicts[0]!.resolve(true);
  await first;
  verdicts[1]!.resolve(true);
  await second;
  expect(served).toEqual(['a@v2#0', 'a@v2#0']);
});
