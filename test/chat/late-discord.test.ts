import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { ManualClock } from 'hydrant/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { deferred } from '../support/deferred.js';
import { fakeAdapter, fakeFactory, signed, type Content } from './support/fakes.js';
import { DEFAULT_TEXT, recordingFetch, until } from './support/late.js';

const DISCORD = { 'x-signature-ed25519': '1' };
const interaction = (type: number): Content => ({ headers: DISCORD, body: { type, application_id: '12', token: 'a/../b' } });

let close: () => Promise<unknown>;
afterEach(() => close());

interface Overrides {
  readonly adapter?: string;
  readonly handleWebhook?: () => Promise<Response>;
  readonly authenticate?: () => Promise<true>;
}

/** A delivery to a bot that starts slowly, and its answer when there is one. */
function delivery(content: Content, { adapter = 'discord', handleWebhook, ...overrides }: Overrides = {}) {
  const clock = new ManualClock();
  const { sent, fetch } = recordingFetch();
  const starting = deferred<void>();
  const own = handleWebhook === undefined ? {} : { handleWebhook };
  const made = fakeFactory(() => [fakeAdapter(adapter, [], own)], { setup: () => starting.promise, fetch });
  const factory = { ...made, ...overrides };
  const registry = new ConnectionRegistry({ store: new MemoryStore([{ id: 'c' }]), factory, clock });
  close = () => { starting.reject(new Error('the test has ended')); return registry.close({ drainTimeoutMs: 0 }); };
  registry.on('hydrationFailed', () => {});
  const failures: string[] = [];
  registry.on('webhookFailed', ({ error }) => { failures.push(error.code); });
  const seen: { answer: unknown } = { answer: 'none' };
  void registry.handleWebhook('c', signed(content)).then(async (response) => {
    seen.answer = response.ok ? await response.json() : response.status;
  });
  const answerAfter = async (ms: number): Promise<unknown> => {
    await until(() => registry.snapshot().hydrating > 0);
    await clock.advance(ms);
    await until(() => seen.answer !== 'none', 200);
    return seen.answer;
  };
  return { sent, failures, starting, seen, answerAfter };
}

const privately = { type: 5, data: { flags: 64 } };

describe('an interaction with a bot that starts slowly', () => {
  test("is answered after 2 s as its adapter answers, because it knows that the command's answer is private", async () => {
    const { answerAfter } = delivery(interaction(2), { handleWebhook: async () => Response.json(privately) });
    expect(await answerAfter(1_999)).toBe('none');
    expect(await answerAfter(1)).toEqual(privately);
  });

  test.each([{ name: 'a command', type: 2, deferred: 5 }, { name: 'a click', type: 3, deferred: 6 }])(
    'is answered without the adapter if the application has authenticated it: $name',
    async ({ type, deferred: answer }) => {
      const handleWebhook = async () => Response.json(privately);
      const { answerAfter } = delivery(interaction(type), { authenticate: async () => true, handleWebhook });
      expect(await answerAfter(2_000)).toEqual({ type: answer });
    },
  );

  test('is answered without the adapter if it no longer accepts the signature', async () => {
    const answers = [Response.json(privately), new Response(null, { status: 401 })];
    const { answerAfter } = delivery(interaction(2), { handleWebhook: async () => answers.shift() ?? Response.error() });
    expect(await answerAfter(2_000)).toEqual({ type: 5 });
  });

});

describe('a delivery without a late answer', () => {
  test.each<{ name: string; adapter?: string; content: Content }>([
    { name: 'a suggestion while typing, which has no late answer', content: interaction(4) },
    { name: 'a form, which the SDK does not handle', content: interaction(5) },
    { name: 'a body that does not parse', content: { headers: DISCORD, body: 'not JSON' } },
    { name: 'null', content: { headers: DISCORD, body: null } },
    {
      name: 'a body that does not parse, of Slack', adapter: 'slack',
      content: { headers: { 'x-slack-signature': '1' }, body: 'not JSON' },
    },
    {
      name: "a delivery of GitHub whose body looks like Discord's", adapter: 'github',
      content: { headers: { 'x-github-event': 'push' }, body: { type: 2 } },
    },
  ])('waits for the bot: $name', async ({ content, adapter = 'discord' }) => {
    const { starting, seen, answerAfter, sent, failures } = delivery(content, { adapter });
    expect(await answerAfter(2_500)).toBe('none');
    starting.reject(new Error('the database is down'));
    await until(() => seen.answer !== 'none');
    expect({ ...seen, sent, failures }).toEqual({ answer: 503, sent: [], failures: ['HYDRATION_FAILED'] });
  });
});

describe('a bot that could not start', () => {
  test('is told to the user in place of the answer, at a URL that no token can change', async () => {
    const { starting, answerAfter, sent } = delivery(interaction(2), { handleWebhook: async () => Response.json({ type: 5 }) });
    await answerAfter(2_000);
    starting.reject(new Error('the database is down'));
    await until(() => sent.length > 0);
    expect(sent).toEqual([{
      method: 'PATCH',
      url: 'https://discord.com/api/v10/webhooks/12/a%2F..%2Fb/messages/@original',
      contentType: 'application/json',
      body: { content: DEFAULT_TEXT },
    }]);
  });

  test('is told by the status alone while Discord still waits for it', async () => {
    const { starting, seen, sent } = delivery(interaction(2));
    starting.reject(new Error('the database is down'));
    await until(() => seen.answer !== 'none');
    expect({ ...seen, sent }).toEqual({ answer: 503, sent: [] });
  });
});
