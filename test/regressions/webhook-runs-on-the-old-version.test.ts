import { expect, test } from 'vitest';
import { Harness } from '../support/harness.js';

test("with 'keepLastGood', a webhook in the same millisecond as the last check gets the new version", async () => {
  const served: string[] = [];
  const h = new Harness({
    keepLastGood: true,
    factory: {
      authenticate: 'in-handler',
      handleWebhook: ({ name }) => { served.push(name); return new Response(); },
    },
  });
  const deliver = () => h.registry.handleWebhook('a', new Request('http://gateway.test/a', { method: 'POST' }));
  h.rows.put('a');
  await deliver();
  h.rows.put('a');
  await deliver();
  expect(served).toEqual(['a@v1#0', 'a@v2#1']);
});
