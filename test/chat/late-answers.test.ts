import { ConnectionError } from 'hydrant';
import { ManualClock, settle } from 'hydrant/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { botsOver, deliver, fromSlack, secretOf, slashCommand, type Bot, type BotRecord, type Bots } from './support/bots.js';

const slackBot: Bot = { id: 's', platform: 'slack', apiUrl: 'http://127.0.0.1:9/', botUserId: 'U1' };
const RESPONSE_URL = 'https://hooks.slack.com/commands/T1/1/x';

let bots: Bots;
afterEach(() => bots.registry.close({ drainTimeoutMs: 0 }));

interface Sent { readonly method: string; readonly url: string; readonly body: unknown }

/** A bot whose start takes as long as the test says, and everything it sends afterwards. */
function slowBot() {
  const clock = new ManualClock();
  const sent: Sent[] = [];
  let end: (error?: Error) => void = () => {};
  const started = new Promise<void>((resolve, reject) => { end = (error) => error === undefined ? resolve() : reject(error); });
  // A busy machine may still load the SDK when the test ends the start.
  started.catch(() => {});
  const record = async (url: unknown, init?: RequestInit): Promise<Response> => {
    sent.push({ method: init?.method ?? 'GET', url: String(url), body: JSON.parse(String(init?.body)) });
    return new Response();
  };
  bots = botsOver([slackBot], { setup: () => started, fetch: record as typeof fetch }, { clock });
  bots.registry.on('hydrationFailed', () => {});
  bots.registry.on('webhookFailed', () => {});
  return { clock, sent, end };
}

/** Lets real input and output of the SDK end, which no clock of ours moves. A busy machine may need seconds for it. */
async function until(condition: () => boolean, turns = Infinity): Promise<void> {
  const deadline = performance.now() + 5_000;
  for (let turn = 0; turn < turns && performance.now() < deadline && !condition(); turn += 1) {
    await settle();
    await new Promise(setImmediate);
  }
}

async function statusAfter(clock: ManualClock, ms: number, request: Request): Promise<{ status: number | 'none' }> {
  const seen: { status: number | 'none' } = { status: 'none' };
  void bots.registry.handleWebhook('s', request).then((response) => { seen.status = response.status; });
  await until(() => bots.registry.snapshot().hydrating > 0);
  await clock.advance(ms);
  await until(() => seen.status !== 'none', 2_000);
  return seen;
}

describe('a delivery that the platform never repeats', () => {
  test('is acknowledged within the limit, and a later failure is sent to its response_url (slash command)', async () => {
    const { clock, sent, end } = slowBot();
    const { status } = await statusAfter(clock, 2_000, slashCommand(secretOf('s'), { response_url: RESPONSE_URL }));
    end(new Error('the database is down'));
    await until(() => sent.length > 0);
    expect({ status, sent }).toEqual({
      status: 200,
      sent: [{
        method: 'POST', url: RESPONSE_URL,
        body: { response_type: 'ephemeral', replace_original: false, text: 'Something went wrong. Please try again.' },
      }],
    });
  });

  test('is acknowledged within the limit (click on a button)', async () => {
    const { clock, sent, end } = slowBot();
    const payload = JSON.stringify({ type: 'block_actions', team: { id: 'T1' }, response_url: RESPONSE_URL });
    const click = fromSlack({ secret: secretOf('s'), body: new URLSearchParams({ payload }).toString(), json: false });
    const { status } = await statusAfter(clock, 2_000, click);
    end(new Error('no'));
    await until(() => sent.length > 0);
    expect({ status, urls: sent.map(({ url }) => url) }).toEqual({ status: 200, urls: [RESPONSE_URL] });
  });
});

describe('a handler that fails after the SDK has answered', () => {
  const actions = ['one', 'two'].map((id) => ({ type: 'button', action_id: id, block_id: id }));
  const click = JSON.stringify({
    type: 'block_actions', team: { id: 'T1' }, user: { id: 'U42', username: 'ada' }, channel: { id: 'C1' },
    message: { ts: '1.2' }, container: { type: 'message', message_ts: '1.2', channel_id: 'C1' }, actions,
    response_url: RESPONSE_URL,
  });
  const DELIVERIES = {
    'a slash command': { make: () => slashCommand(secretOf('s'), { response_url: RESPONSE_URL }), failures: 1 },
    'a click, with two handlers': {
      make: () => fromSlack({ secret: secretOf('s'), body: new URLSearchParams({ payload: click }).toString(), json: false }),
      failures: 2,
    },
  };
  function failingBot(fetchWith: () => Promise<Response>) {
    const sent: Sent[] = [];
    const redirects: (string | undefined)[] = [];
    const emitted: { acknowledged: boolean; cause: string }[] = [];
    const fail = async (): Promise<never> => { throw new Error('the model is down'); };
    bots = botsOver([slackBot], {
      setup: (chat) => { chat.onSlashCommand(fail); chat.onAction(fail); },
      fetch: (async (url: unknown, init?: RequestInit) => {
        sent.push({ method: init?.method ?? 'GET', url: String(url), body: JSON.parse(String(init?.body)) });
        redirects.push(init?.redirect);
        return fetchWith();
      }) as typeof fetch,
    });
    bots.registry.on('webhookFailed', ({ acknowledged, error }) => {
      emitted.push({ acknowledged, cause: String((error as { cause?: unknown }).cause) });
    });
    return { sent, emitted, redirects };
  }

  test.each(Object.entries(DELIVERIES))('is told to the user once, and emitted: %s', async (_name, { make, failures }) => {
    const { sent, emitted, redirects } = failingBot(async () => new Response());
    const { status } = await deliver(bots, 's', make());
    expect({ status, redirects, sent, emitted }).toEqual({
      status: 200,
      // Slack's host might send us on to one of our own.
      redirects: ['error'],
      sent: [{
        method: 'POST', url: RESPONSE_URL,
        body: { response_type: 'ephemeral', replace_original: false, text: 'Something went wrong. Please try again.' },
      }],
      emitted: Array.from({ length: failures }, () => ({ acknowledged: true, cause: 'Error: the model is down' })),
    });
  });

  test('is emitted together with the reason why the user could not be told', async () => {
    const { emitted } = failingBot(async () => { throw new Error('the network is down'); });
    await deliver(bots, 's', DELIVERIES['a slash command'].make());
    expect(emitted).toEqual([{
      acknowledged: true, cause: "AggregateError: A handler of connection 's' failed, and its user could not be told",
    }]);
  });
});

describe('a delivery that the platform repeats', () => {
  test('is not acknowledged while it may still fail', async () => {
    const { clock, end } = slowBot();
    const event = JSON.stringify({
      type: 'event_callback',
      team_id: 'T1',
      event: { type: 'app_mention', channel: 'C1', user: 'U2', text: 'hi', ts: '1.2' },
    });
    const early = await statusAfter(clock, 2_500, fromSlack({ secret: secretOf('s'), body: event }));
    expect(early).toEqual({ status: 'none' });
    end(new Error('no'));
    await until(() => early.status !== 'none');
    expect(early).toEqual({ status: 503 });
  });
});

describe('a response_url counts for Slack only', () => {
  // A customer signs with a secret of their own, so a signature proves nothing about the URL.
  test.each([
    'http://hooks.slack.com/commands/1',
    'https://hooks.slack.com.evil.example/x',
    'https://169.254.169.254/latest',
    'http://127.0.0.1:9/',
    'https://user@evil.example/hooks.slack.com',
    'not a url',
    '',
  ])('%s is neither called nor a reason to acknowledge', async (responseUrl) => {
    const { clock, sent, end } = slowBot();
    const outcome = await statusAfter(clock, 2_500, slashCommand(secretOf('s'), { response_url: responseUrl }));
    expect(outcome).toEqual({ status: 'none' });
    end(new Error('no'));
    await until(() => outcome.status !== 'none');
    expect({ ...outcome, sent }).toEqual({ status: 503, sent: [] });
  });
});

describe('the text of a late failure', () => {
  test('can be chosen, and never holds the failure itself by default', async () => {
    const { acknowledgeWith, LateFailures } = await import('../../src/chat/late-answers.js');
    const sent: Sent[] = [];
    const fetchWith = (async (url: unknown, init?: RequestInit) => {
      sent.push({ method: init?.method ?? '', url: String(url), body: JSON.parse(String(init?.body)) });
      return new Response();
    }) as typeof fetch;
    const failures = new LateFailures<BotRecord>(({ code }, record) => `${record?.id}: ${code}`, fetchWith);
    const failure = new ConnectionError('HYDRATION_FAILED', 'secret inside');
    const { signal } = new AbortController();
    const record: BotRecord = { ...slackBot, version: 1, status: 'active' };
    const command = (): Request => new Request('https://gateway', {
      method: 'POST', headers: { 'x-signature-ed25519': 'checked before' },
      body: JSON.stringify({ type: 2, application_id: '12', token: 'a/../b' }),
    });
    await failures.report(failure, command(), { acknowledged: false, record, signal });
    expect(sent).toEqual([]);
    await failures.report(failure, command(), { acknowledged: true, record, signal });
    expect(sent).toEqual([
      {
        method: 'PATCH',
        url: 'https://discord.com/api/v10/webhooks/12/a%2F..%2Fb/messages/@original',
        body: { content: 's: HYDRATION_FAILED' },
      },
    ]);
    const deferred = await acknowledgeWith(async () => undefined).respond(command(), { record });
    expect(await deferred?.json()).toEqual({ type: 5 });
    bots = botsOver([slackBot]);
  });
});
