import { connectionIdOf } from 'hydrant/chat';
import { describe, expect, test } from 'vitest';

interface Delivery {
  readonly headers?: Record<string, string>;
  readonly json?: unknown;
  readonly form?: Record<string, string>;
  readonly get?: string;
}

function request({ headers = {}, json, form, get }: Delivery): Request {
  if (get !== undefined) return new Request(`https://gateway/hook?${get}`, { headers });
  if (form !== undefined) {
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    return new Request('https://gateway/hook', {
      method: 'POST',
      headers: { ...headers, ...type },
      body: new URLSearchParams(form).toString(),
    });
  }
  return new Request('https://gateway/hook', {
    method: 'POST',
    headers,
    body: typeof json === 'string' ? json : JSON.stringify(json),
  });
}

const slack = { 'x-slack-signature': 'v0=1' };
const whatsapp = { 'x-hub-signature-256': 'sha256=1' };

describe('connectionIdOf', () => {
  test.each<[string, Delivery, string | undefined]>([
    ['a Slack event', { headers: slack, json: { team_id: 'T1', event: {} } }, 'slack:T1'],
    ['a Slack slash command', { headers: slack, form: { command: '/x', team_id: 'T2' } }, 'slack:T2'],
    [
      'a click in Slack',
      { headers: slack, form: { payload: JSON.stringify({ type: 'block_actions', team: { id: 'T3' } }) } },
      'slack:T3',
    ],
    [
      'an organisation of Slack',
      { headers: slack, form: { payload: JSON.stringify({ team: null, enterprise: { id: 'E1' } }) } },
      'slack:E1',
    ],
    [
      'a Slack event of an app that is installed in a whole organisation',
      {
        headers: slack,
        json: { team_id: 'T1', authorizations: [{ enterprise_id: 'E1', team_id: null, is_enterprise_install: true }] },
      },
      'slack:E1',
    ],
    [
      'a slash command of such an app',
      { headers: slack, form: { command: '/x', team_id: 'T1', enterprise_id: 'E1', is_enterprise_install: 'true' } },
      'slack:E1',
    ],
    [
      'a slash command in an organisation of which one workspace has the app',
      { headers: slack, form: { command: '/x', team_id: 'T1', enterprise_id: 'E1', is_enterprise_install: 'false' } },
      'slack:T1',
    ],
    [
      'a click in such an app',
      {
        headers: slack,
        form: { payload: JSON.stringify({ team: { id: 'T1' }, enterprise: { id: 'E1' }, is_enterprise_install: true }) },
      },
      'slack:E1',
    ],
    [
      'a Slack event in a channel that is shared with the workspace T2',
      { headers: slack, json: { team_id: 'T2', authorizations: [{ team_id: 'T1', is_enterprise_install: false }] } },
      'slack:T1',
    ],
    ["Slack's url_verification", { headers: slack, json: { type: 'url_verification', challenge: 'c' } }, 'slack'],
    [
      'a Discord interaction',
      { headers: { 'x-signature-ed25519': '1' }, json: { type: 1, application_id: '123' } },
      'discord:123',
    ],
    [
      'a GitHub event',
      { headers: { 'x-github-event': 'issue_comment', ...whatsapp }, json: { installation: { id: 42 } } },
      'github:42',
    ],
    ["GitHub's ping", { headers: { 'x-github-event': 'ping' }, json: { zen: 'x' } }, 'github'],
    ['a Linear event', { headers: { 'linear-signature': '1' }, json: { organizationId: 'o-1' } }, 'linear:o-1'],
    [
      'a WhatsApp message',
      { headers: whatsapp, json: { entry: [{ changes: [{ value: { metadata: { phone_number_id: '99' } } }] }] } },
      'whatsapp:99',
    ],
    ["WhatsApp's challenge", { get: 'hub.mode=subscribe&hub.challenge=1' }, 'whatsapp'],
    ['a Teams activity', { json: { channelId: 'msteams', conversation: { tenantId: 't-1' } } }, 'teams:t-1'],
    ['Telegram, which does not say', { headers: { 'x-telegram-bot-api-secret-token': 's' }, json: { update_id: 1 } }, undefined],
    ['a body that does not parse', { headers: slack, json: 'not json' }, 'slack'],
    ['a stranger', { json: { team_id: 'T1' } }, undefined],
    ['a browser', { get: '' }, undefined],
    ['an id of the wrong kind', { headers: slack, json: { team_id: { $ne: '' } } }, 'slack'],
    ['null', { headers: slack, json: null }, 'slack'],
  ])('%s', async (_name, delivery, id) => {
    const given = request(delivery);
    expect(await connectionIdOf(given)).toBe(id);
    // The handler reads it after us.
    expect(given.bodyUsed).toBe(false);
  });
});
