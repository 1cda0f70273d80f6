import type { App } from '@slack/bolt';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { startFakeSlackApi, type FakeSlackApi } from '../../examples/support/fake-slack-api.mjs';
import { eventually, example, gate, type Gate } from './support.js';

const { workspaceFactory } = await example('bolt-workspaces/factory.mjs');
const { setUp } = await example('bolt-workspaces/bot.mjs');
const { workspaceCommand, slackEvent } = await example('support/slack-requests.mjs');
const { startRecordingServer } = await example('support/recording-server.mjs');

const signingSecret = 'the app’s secret';
const row = (n: number) =>
  ({ id: `T000${n}`, signingSecret, botToken: `xoxb-${n}`, botId: `B${n}`, botUserId: `U${n}` });

describe('examples/bolt-workspaces, with the real Bolt', () => {
  let slack: FakeSlackApi;
  let registry: ConnectionRegistry<any, App>;
  let held: Gate<void>;
  let failures: unknown[];

  beforeEach(async () => {
    slack = await startFakeSlackApi();
    held = gate<void>();
    failures = [];
    const factory = workspaceFactory({
      apiUrl: slack.url,
      setUp(app: App) {
        setUp(app);
        app.command('/slow', async ({ ack, say }) => {
          await ack('one moment');
          await held.promise;
          await say('done');
        });
        app.command('/broken', async () => { throw new Error('the listener failed'); });
      },
    });
    registry = new ConnectionRegistry({ store: new MemoryStore([row(1), row(2), row(3)]), factory, maxInstances: 1 });
    registry.on('webhookFailed', ({ error }) => failures.push(error));
  });
  afterEach(async () => {
    await registry.close();
    await slack.close();
  });

  const send = (team: string, message: RequestInit): Promise<Response> =>
    registry.handleWebhook(team, new Request(`http://gateway/slack/${team}`, message));
  const command = (team: string, name = '/ask', secret = signingSecret): Promise<Response> =>
    send(team, workspaceCommand({ signingSecret: secret, team, command: name, text: 'why?' }));
  const posted = (): unknown[] => slack.messages.map(({ token, text }) => ({ token, text }));

  test('answers in each workspace with its own token, and a start calls nothing', async () => {
    for (const team of ['T0001', 'T0002']) expect((await command(team)).status, team).toBe(200);
    await eventually(posted).toEqual([
      { token: 'xoxb-1', text: 'you asked: why?' },
      { token: 'xoxb-2', text: 'you asked: why?' },
    ]);
    expect([...slack.calls]).toEqual([['chat.postMessage', 2]]);
  });

  test('starts no App for a forged request, nor for Slack’s challenge', async () => {
    const challenge = await send('T0001', slackEvent(signingSecret, { type: 'url_verification', challenge: 'c-1' }));
    const forged = await send('T0001', slackEvent('a guess', { type: 'url_verification', challenge: 'c-1' }));
    expect({
      challenge: await challenge.json(), forged: forged.status, command: (await command('T0001', '/ask', 'a guess')).status,
      live: registry.snapshot().live,
    }).toEqual({ challenge: { challenge: 'c-1' }, forged: 401, command: 401, live: 0 });
  });

  test('keeps an App that has acknowledged until its listener ends, although others need its place', async () => {
    const answer = await command('T0001', '/slow');
    expect({ status: answer.status, text: await answer.text() }).toEqual({ status: 200, text: 'one moment' });
    await command('T0002');
    await command('T0003');
    expect(registry.snapshot().connections.filter(({ id }) => id === 'T0001').map(({ state }) => state)).toEqual(['leased']);
    held.open();
    await eventually(posted).toContainEqual({ token: 'xoxb-1', text: 'done' });
  });

  test('hands events and buttons to their listeners', async () => {
    const responses = await startRecordingServer();
    const event = { type: 'app_mention', user: 'U42', channel: 'C1', text: 'hi', ts: '1.1', event_ts: '1.1' };
    // Bolt acknowledges an event before its listeners run.
    const mention = await send('T0001', slackEvent(signingSecret, { type: 'event_callback', team_id: 'T0001', event }));
    const form = new URLSearchParams({
      payload: JSON.stringify({
        type: 'block_actions',
        team: { id: 'T0001' },
        user: { id: 'U42' },
        channel: { id: 'C1' },
        response_url: `${responses.url}/1`,
        actions: [{ type: 'button', action_id: 'approve', block_id: 'b', action_ts: '1.1' }],
      }),
    }).toString();
    const { slackSignature } = await example('support/slack-sender.mjs');
    const button = await send('T0001', {
      method: 'POST', body: form,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...slackSignature(signingSecret, form) },
    });
    expect({ mention: mention.status, button: button.status }).toEqual({ mention: 200, button: 200 });
    await eventually(posted).toEqual([{ token: 'xoxb-1', text: 'hello <@U42>' }]);
    await eventually(() => responses.received.map(({ body }: { body: string }) => JSON.parse(body))).toEqual([
      { text: 'approved' },
    ]);
    await responses.close();
  });

  test('answers 404 without a listener, and 500 where the listener fails before it acknowledges', async () => {
    expect((await command('T0001', '/unknown')).status).toBe(404);
    const broken = await command('T0001', '/broken');
    expect({ status: broken.status, tells: (await broken.text()).includes('the listener failed') })
      .toEqual({ status: 500, tells: false });
    await eventually(() => failures.length).toBeGreaterThan(0);
  });
});
