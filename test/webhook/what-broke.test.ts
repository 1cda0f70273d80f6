import { ConnectionRegistry } from 'hydrant';
import { expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { Rows, type Harness } from '../support/harness.js';
import { answerThatWasRead, handingOver, post, webhookHarness } from '../support/webhooks.js';

const fail = (): never => { throw new Error('the cause'); };

/** One log line is all that most people have. */
const BROKEN: Record<string, () => Promise<Harness>> = {
  'handleWebhook': async () => {
    const h = webhookHarness({ factory: { handleWebhook: fail } });
    h.rows.put('a');
    await h.registry.handleWebhook('a', post());
    return h;
  },
  'acknowledge.respond': async () => {
    const gate = deferred<Response>();
    const h = webhookHarness({ factory: { acknowledge: { afterMs: 1_000, respond: fail }, handleWebhook: () => gate.promise } });
    h.rows.put('a');
    const response = h.registry.handleWebhook('a', post());
    await h.clock.advance(1_000);
    gate.resolve(new Response());
    await response;
    return h;
  },
  'Work passed to waitUntil': async () => {
    const h = webhookHarness({
      factory: { handleWebhook: handingOver(() => Promise.reject(new Error('the cause'))) },
    });
    h.rows.put('a');
    await h.registry.handleWebhook('a', post());
    return h;
  },
  "The platform's waitUntil": async () => {
    const h = webhookHarness({
      factory: { handleWebhook: handingOver(() => Promise.resolve()) },
    });
    h.rows.put('a');
    await h.registry.handleWebhook('a', post(), { waitUntil: fail });
    return h;
  },
  'Sending the Response': async () => {
    const h = webhookHarness({ factory: { handleWebhook: answerThatWasRead } });
    h.rows.put('a');
    await h.registry.handleWebhook('a', post());
    return h;
  },
};

test.each(Object.entries(BROKEN))('the error of a failed webhook names the part that broke: %s', async (what, broken) => {
  const h = await broken();
  await h.settle();
  expect(h.eventsOf('webhookFailed').map(({ error }) => error.message)).toEqual([expect.stringContaining(what)]);
});

test('a factory with a member that throws fails only its own webhook, and the error says so', async () => {
  const rows = new Rows();
  rows.put('a');
  let made = false;
  const registry = new ConnectionRegistry({
    store: rows,
    factory: {
      create: () => ({}),
      authenticate: 'in-handler',
      get handleWebhook() {
        return made ? fail() : () => new Response();
      },
    },
  });
  made = true;
  const failures: unknown[] = [];
  registry.on('webhookFailed', ({ error }) => { failures.push(error); });
  expect((await registry.handleWebhook('a', post())).status).toBe(500);
  expect(failures).toMatchObject([
    { code: 'HANDLER_FAILED', connectionId: 'a', message: expect.stringContaining('The webhook') },
  ]);
  await registry.close();
});
