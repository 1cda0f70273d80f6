import { expect, test } from 'vitest';
import { Harness } from '../support/harness.js';

test('an instance from a row that was on the wire at an invalidate serves its waiting callers and no later one', async () => {
  const h = new Harness();
  h.rows.put('a');
  h.rows.hold();
  const before = h.registry.use('a', ({ name }) => name);
  await h.settle();
  h.registry.invalidate('a');
  const first = h.holdCreate();
  h.rows.letAllGo();
  await h.settle();
  expect(h.creates).toBe(1);

  const after = h.registry.use('a', ({ name }) => name);
  await h.settle();
  expect(await after).toBe('a@v1#1');
  first.resolve();
  expect(await before).toBe('a@v1#0');
  await h.settle();
  expect(h.log).toEqual(['create a@v1', 'create a@v1', 'dispose a@v1 invalidated']);
  expect(h.registry.snapshot().connections).toMatchObject([{ id: 'a', state: 'idle' }]);
});

test('with keepLastGood, a webhook that reads an edit in the millisecond of the last confirmation gets the edit', async () => {
  const served: string[] = [];
  const h = new Harness({
    keepLastGood: true,
    factory: {
      authenticate: async () => {
        await h.settle();
        return true;
      },
      handleWebhook: ({ name }) => {
        served.push(name);
        return new Response();
      },
    },
  });
  h.rows.put('a');
  await h.registry.use('a', () => {});
  h.rows.put('a');
  await h.registry.handleWebhook('a', new Request('http://gateway.test/', { method: 'POST' }));
  expect(served).toEqual(['a@v2#1']);
});
