import type { Chat } from 'chat';
import type { ConnectionError } from 'hydrant';
import type { ChatAdapter, ChatFactoryOptions } from 'hydrant/chat';
import { afterEach, expect, test, vi } from 'vitest';
import { botsOver, deliver, fromSlack, secretOf, slashCommand, type Bot, type BotRecord, type Bots } from './support/bots.js';
import { fakeAdapter, fakeBot, signed } from './support/fakes.js';
import { DEFAULT_TEXT, recordingFetch, RESPONSE_URL, toSlack } from './support/late.js';

const slackBot: Bot = { id: 's', platform: 'slack', apiUrl: 'http://127.0.0.1:9/', botUserId: 'U1' };

let bots: Bots;
afterEach(async () => { await (bots as Bots | undefined)?.registry.close({ drainTimeoutMs: 0 }); });

const actions = ['one', 'two'].map((id) => ({ type: 'button', action_id: id, block_id: id }));
const click = JSON.stringify({
  type: 'block_actions', team: { id: 'T1' }, user: { id: 'U42', username: 'ada' }, channel: { id: 'C1' },
  message: { ts: '1.2' }, container: { type: 'message', message_ts: '1.2', channel_id: 'C1' }, actions,
  response_url: RESPONSE_URL,
});
const command = (responseUrl = RESPONSE_URL): Request => slashCommand(secretOf('s'), { response_url: responseUrl });

/** A bot whose handlers fail, after the SDK has answered. */
function failingBot(options: Partial<ChatFactoryOptions<BotRecord, Chat, undefined>>) {
  const emitted: { acknowledged: boolean; cause: unknown }[] = [];
  const fail = async (): Promise<never> => { throw new Error('the model is down'); };
  bots = botsOver([slackBot], {
    setup: (chat) => { chat.onSlashCommand(fail); chat.onAction(fail); chat.onDirectMessage(fail); },
    ...options,
  });
  bots.registry.on('webhookFailed', ({ acknowledged, error }) => {
    emitted.push({ acknowledged, cause: (error as ConnectionError).cause });
  });
  return emitted;
}

const FAILED = { acknowledged: true, cause: new Error('the model is down') };

test.each([
  { name: 'a slash command', make: () => command(), failures: 1 },
  {
    name: 'a click, with two handlers',
    make: () => fromSlack({ secret: secretOf('s'), body: new URLSearchParams({ payload: click }).toString(), json: false }),
    failures: 2,
  },
])('a handler that fails is told to the user once, and emitted: $name', async ({ make, failures }) => {
  const { sent, redirects, fetch } = recordingFetch();
  const emitted = failingBot({ fetch });
  const { status } = await deliver(bots, 's', make());
  expect({ status, redirects, sent, emitted }).toEqual({
    status: 200,
    // Slack's host might send us on to one of our own.
    redirects: ['error'],
    sent: [toSlack()],
    emitted: Array.from({ length: failures }, () => FAILED),
  });
});

test("a user on the host that Slack has for the United States' government is told too", async () => {
  const { sent, fetch } = recordingFetch();
  failingBot({ fetch });
  await deliver(bots, 's', command('https://hooks.slack-gov.com/commands/1'));
  expect(sent).toEqual([toSlack(DEFAULT_TEXT, 'https://hooks.slack-gov.com/commands/1')]);
});

test('a handler of a message that fails is emitted, and nobody is told, because Slack gives no URL for that', async () => {
  const { sent, fetch } = recordingFetch();
  const emitted = failingBot({ fetch });
  const event = { type: 'message', channel_type: 'im', channel: 'D1', user: 'U2', text: 'hi', ts: '1.2' };
  await deliver(bots, 's', fromSlack({
    secret: secretOf('s'), body: JSON.stringify({ type: 'event_callback', team_id: 'T1', event }),
  }));
  expect({ sent, emitted }).toEqual({ sent: [], emitted: [FAILED] });
});

test('the text for the user can be made of the failure and the row', async () => {
  const { sent, fetch } = recordingFetch();
  const failureText = ({ code, connectionId, cause }: ConnectionError, record?: BotRecord): string =>
    `${code} of ${connectionId}, on ${record?.platform}: ${(cause as Error).message}`;
  failingBot({ fetch, failureText });
  await deliver(bots, 's', command());
  expect(sent).toEqual([toSlack('HANDLER_FAILED of s, on slack: the model is down')]);
});

test('a user who cannot be told is emitted, with both reasons', async () => {
  const offline = new Error('the network is down');
  const { fetch } = recordingFetch(async () => { throw offline; });
  const emitted = failingBot({ fetch });
  await deliver(bots, 's', command());
  const cause = expect.objectContaining({
    message: "A handler of connection 's' failed, and its user could not be told", errors: [FAILED.cause, offline],
  }) as unknown;
  expect(emitted).toEqual([{ acknowledged: true, cause }]);
});

test('late answers are sent with the global fetch of that time, which may have been instrumented', async () => {
  const emitted = failingBot({});
  const { sent, fetch } = recordingFetch();
  vi.stubGlobal('fetch', fetch);
  await deliver(bots, 's', command());
  vi.unstubAllGlobals();
  expect({ sent, emitted }).toEqual({ sent: [toSlack()], emitted: [FAILED] });
});

/** Discord's answer may be there already, and would be replaced. The others have no late answers. */
test.each([
  { name: 'discord', headers: { 'x-signature-ed25519': '1' }, body: { type: 2, application_id: '12', token: 't' } },
  { name: 'github', headers: { 'x-github-event': 'push' }, body: { response_url: RESPONSE_URL } },
])('a handler of $name that fails is emitted, and nothing is sent', async ({ name, headers, body }) => {
  const { sent, fetch } = recordingFetch();
  const cause = new Error('the model is down');
  const handleWebhook: ChatAdapter['handleWebhook'] = async (_request, options) => {
    options?.waitUntil?.(Promise.reject(cause));
    return new Response();
  };
  const registry = fakeBot(() => [fakeAdapter(name, [], { handleWebhook })], { fetch });
  const emitted: unknown[] = [];
  registry.on('webhookFailed', ({ error }) => { emitted.push((error as ConnectionError).cause); });
  const work: Promise<unknown>[] = [];
  await registry.handleWebhook('c', signed({ headers, body }), { waitUntil: (task) => { work.push(task); } });
  await Promise.all(work);
  await registry.close();
  expect({ sent, emitted }).toEqual({ sent: [], emitted: [cause] });
});
