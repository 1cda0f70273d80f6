import express from 'express';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connectionIdOf } from 'hydrant/chat';
import { expressWebhook } from 'hydrant/express';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startFakeSlackApi, type FakeSlackApi } from '../../examples/support/fake-slack-api.mjs';
import { botsOver, fromSlack, secretOf, slashCommand, type Bots } from './support/bots.js';

let slackApi: FakeSlackApi;
let bots: Bots;
let url: string;
let close: () => void;
beforeEach(async () => {
  slackApi = await startFakeSlackApi();
  const row = (id: string) => ({ id, platform: 'slack', apiUrl: slackApi.url, botUserId: 'U1' } as const);
  bots = botsOver([row('slack'), row('slack:T1'), row('slack:T2')]);
  const server = createServer(express().post('/slack', expressWebhook(bots.registry, { connectionId: connectionIdOf })));
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/slack`;
  close = () => { server.closeAllConnections(); server.close(); };
});
afterEach(async () => { close(); await bots.registry.close(); await slackApi.close(); });

const send = async (request: Request): Promise<{ status: number; body: string }> => {
  const response = await fetch(url, { method: 'POST', headers: request.headers, body: await request.text() });
  return { status: response.status, body: response.ok ? await response.text() : '' };
};

test('one URL serves all workspaces: each delivery is verified with the secret of its own, and reaches its bot', async () => {
  const command = (team: string, signedFor: string): Request => slashCommand(secretOf(signedFor), { team_id: team, text: team });
  const challenge = JSON.stringify({ type: 'url_verification', challenge: 'prove it' });
  const answers = {
    one: await send(command('T1', 'slack:T1')),
    other: await send(command('T2', 'slack:T2')),
    signedByAnotherCustomer: await send(command('T2', 'slack:T1')),
    unknown: await send(command('T3', 'slack:T1')),
    challenge: await send(fromSlack({ secret: secretOf('slack'), body: challenge })),
  };
  await expect.poll(() => bots.heard.toSorted()).toEqual(['slack:T1: T1', 'slack:T2: T2']);
  expect({ answers, creates: bots.creates() }).toEqual({
    answers: {
      one: { status: 200, body: '' },
      other: { status: 200, body: '' },
      signedByAnotherCustomer: { status: 401, body: '' },
      unknown: { status: 404, body: '' },
      challenge: { status: 200, body: JSON.stringify({ challenge: 'prove it' }) },
    },
    creates: 2,
  });
});
