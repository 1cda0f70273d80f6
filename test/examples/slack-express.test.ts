import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MemoryStore } from 'hydrant';
import { ManualClock } from 'hydrant/testing';
import { startFakeSlackApi, type FakeSlackApi } from '../../examples/support/fake-slack-api.mjs';
import { eventually, example, gate, listening, type Gate } from './support.js';

const { createGateway } = await example('slack-express/gateway.mjs');
const { workspaceCommand, slackEvent } = await example('support/slack-requests.mjs');
const { startRecordingServer } = await example('support/recording-server.mjs');

const signingSecret = 'the app’s secret';
const answering = (question: string): string => `you asked: ${question}`;

describe('examples/slack-express', () => {
  const stack = new Set<() => unknown>();
  const clock = new ManualClock();
  let slack: FakeSlackApi;
  let responses: { url: string; received: { body: string }[]; close(): Promise<void> };
  let preparing: Gate<typeof answering>;
  let prepared: string[];
  let origin: string;
  let registry: { use(id: string, work: (bot: any) => unknown): Promise<unknown>; snapshot(): { live: number; leased: number } };

  beforeEach(async () => {
    slack = await startFakeSlackApi();
    responses = await startRecordingServer();
    preparing = gate();
    prepared = [];
    const store = new MemoryStore([
      { id: 'slack:app', signingSecret, botToken: '' },
      { id: 'slack:T0001', signingSecret, botToken: 'xoxb-1' },
      { id: 'slack:T0002', signingSecret, botToken: 'xoxb-2' },
      { id: 'slack:T0003', signingSecret: 'another app’s', botToken: 'xoxb-3' },
    ]);
    const gateway = createGateway({
      store, clock, apiUrl: slack.url,
      prepare: (id: string) => { prepared.push(id); return preparing.promise; },
    });
    const server = await listening(gateway.app);
    registry = gateway.registry;
    origin = server.origin;
    stack
      .add(() => slack.close())
      .add(() => responses.close())
      .add(() => server[Symbol.asyncDispose]())
      .add(() => gateway.registry.close({ drainTimeoutMs: 0 }));
  });

  afterEach(async () => {
    for (const end of stack) await end();
    stack.clear();
  });

  const send = (request: RequestInit): Promise<Response> => fetch(`${origin}/slack/events`, request);

  test('acknowledges a slash command within 3 s while a cold replica takes 5 s to hydrate, and answers it then', async () => {
    const answer = send(workspaceCommand({ signingSecret, team: 'T0001', text: 'why?', responseUrl: `${responses.url}/1` }));
    await eventually(() => prepared).toEqual(['slack:T0001']);
    await clock.advance(2_000);
    const response = await answer;
    expect({ status: response.status, body: await response.text() }).toEqual({ status: 200, body: '' });
    expect(slack.messages).toEqual([]);
    await clock.advance(3_000);
    preparing.open(answering);
    await eventually(() => slack.messages).toEqual([{ token: 'xoxb-1', channel: 'C0001', text: 'you asked: why?' }]);
    await eventually(() => registry.snapshot()).toMatchObject({ live: 1, leased: 0 });
    expect(responses.received).toEqual([]);
  });

  test('tells the user through response_url when the work fails after it was acknowledged', async () => {
    const answer = send(workspaceCommand({ signingSecret, team: 'T0001', responseUrl: `${responses.url}/commands/7` }));
    await eventually(() => prepared).toEqual(['slack:T0001']);
    await clock.advance(2_000);
    expect((await answer).status).toBe(200);
    preparing.fail(new Error('the model is gone, token xoxb-1'));
    await eventually(() => responses.received).toHaveLength(1);
    expect(responses.received[0]).toMatchObject({ method: 'POST', path: '/commands/7' });
    expect(JSON.parse(responses.received[0]?.body ?? '')).toEqual({
      text: 'I could not answer just now (HYDRATION_FAILED). Please try again.',
    });
  });

  test('serves many workspaces at one URL, each as its own bot', async () => {
    preparing.open(answering);
    const statuses = await Promise.all(['T0001', 'T0002'].map(async (team) =>
      (await send(workspaceCommand({ signingSecret, team, text: team }))).status));
    expect(statuses).toEqual([200, 200]);
    await eventually(() => slack.messages.map(({ token, text }) => `${token} ${text}`).toSorted())
      .toEqual(['xoxb-1 you asked: T0001', 'xoxb-2 you asked: T0002']);
    expect(
      (await send(slackEvent(signingSecret, { type: 'event_callback', team_id: 'T0002', event: { type: 'team_join' } }))).status,
    ).toBe(200);
    expect(prepared.toSorted()).toEqual(['slack:T0001', 'slack:T0002']);
  });

  test('hydrates nothing for a forger, for a workspace that is not installed, or for another app’s secret', async () => {
    expect((await send(workspaceCommand({ signingSecret: 'a guess', team: 'T0001' }))).status).toBe(401);
    expect((await send(workspaceCommand({ signingSecret, team: 'T0003' }))).status).toBe(401);
    expect((await send(workspaceCommand({ signingSecret, team: 'T9999' }))).status).toBe(404);
    expect((await send({ method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' })).status).toBe(400);
    expect({ prepared, calls: slack.calls.size }).toEqual({ prepared: [], calls: 0 });
  });

  test('answers Slack’s challenge from the row of the app, if it is signed', async () => {
    const challenge = { type: 'url_verification', challenge: '3eZbrw1aB' };
    const response = await send(slackEvent(signingSecret, challenge));
    expect({ status: response.status, body: await response.json() }).toEqual({ status: 200, body: { challenge: '3eZbrw1aB' } });
    expect((await send(slackEvent('a guess', challenge))).status).toBe(401);
    expect(prepared).toEqual([]);
  });

  test('leaves the application’s own routes as they are, and they use the same instances', async () => {
    preparing.open(answering);
    const response = await fetch(`${origin}/announcements`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ team: 'T0001', channel: 'C7', text: 'new release' }),
    });
    expect(response.status).toBe(204);
    expect(slack.messages).toEqual([{ token: 'xoxb-1', channel: 'C7', text: 'new release' }]);
    expect(prepared).toEqual(['slack:T0001']);
  });
});
