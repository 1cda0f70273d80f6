import { connectionIdOf } from 'hydrant/chat';
import { describe, expect, test } from 'vitest';

interface Delivery {
  readonly headers?: Record<string, string>;
  readonly json?: unknown;
  readonly form?: Record<string, string>;
  readonly get?: string;
  /** A POST to this query. */
  readonly query?: string;
}

function request({ headers = {}, json, form, get, query = '' }: Delivery): Request {
  if (get !== undefined) return new Request(`https://gateway/hook?${get}`, { headers });
  if (form !== undefined) {
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    return new Request('https://gateway/hook', {
      method: 'POST',
      headers: { ...headers, ...type },
      body: new URLSearchParams(form).toString(),
    });
  }
  return new Request(`https://gateway/hook?${query}`, {
    method: 'POST',
    headers,
    body: typeof json === 'string' ? json : JSON.stringify(json),
  });
}

const slack = { 'x-slack-signature': 'v0=1' };
const whatsapp = { 'x-hub-signature-256': 'sha256=1' };
/** A delivery of WhatsApp that is about an account, and so about no phone number. */
const ofAccount = (entry: unknown): Delivery => ({ headers: whatsapp, json: { object: 'whatsapp_business_account', entry } });

describe('connectionIdOf', () => {
  test.each<{ name: string; delivery: Delivery; id: string | undefined }>([
    { name: 'a Slack event', delivery: { headers: slack, json: { team_id: 'T1', event: {} } }, id: 'slack:T1' },
    { name: 'a Slack slash command', delivery: { headers: slack, form: { command: '/x', team_id: 'T2' } }, id: 'slack:T2' },
    {
      name: 'a click in Slack',
      delivery: { headers: slack, form: { payload: JSON.stringify({ type: 'block_actions', team: { id: 'T3' } }) } },
      id: 'slack:T3',
    },
    {
      name: 'an organisation of Slack',
      delivery: { headers: slack, form: { payload: JSON.stringify({ team: null, enterprise: { id: 'E1' } }) } },
      id: 'slack:E1',
    },
    {
      name: 'a Slack event of an app that is installed in a whole organisation',
      delivery: {
        headers: slack,
        json: { team_id: 'T1', authorizations: [{ enterprise_id: 'E1', team_id: null, is_enterprise_install: true }] },
      },
      id: 'slack:E1',
    },
    {
      name: 'a slash command of such an app',
      delivery: { headers: slack, form: { command: '/x', team_id: 'T1', enterprise_id: 'E1', is_enterprise_install: 'true' } },
      id: 'slack:E1',
    },
    {
      name: 'a slash command in an organisation of which one workspace has the app',
      delivery: { headers: slack, form: { command: '/x', team_id: 'T1', enterprise_id: 'E1', is_enterprise_install: 'false' } },
      id: 'slack:T1',
    },
    {
      name: 'a click in such an app',
      delivery: {
        headers: slack,
        form: { payload: JSON.stringify({ team: { id: 'T1' }, enterprise: { id: 'E1' }, is_enterprise_install: true }) },
      },
      id: 'slack:E1',
    },
    {
      name: 'a Slack event in a channel that is shared with the workspace T2',
      delivery: { headers: slack, json: { team_id: 'T2', authorizations: [{ team_id: 'T1', is_enterprise_install: false }] } },
      id: 'slack:T1',
    },
    {
      name: "Slack's url_verification",
      delivery: { headers: slack, json: { type: 'url_verification', challenge: 'c' } },
      id: 'slack',
    },
    {
      name: 'a Discord interaction',
      delivery: { headers: { 'x-signature-ed25519': '1' }, json: { type: 1, application_id: '123' } },
      id: 'discord:123',
    },
    {
      name: 'a GitHub event',
      delivery: { headers: { 'x-github-event': 'issue_comment', ...whatsapp }, json: { installation: { id: 42 } } },
      id: 'github:42',
    },
    { name: "GitHub's ping", delivery: { headers: { 'x-github-event': 'ping' }, json: { zen: 'x' } }, id: 'github' },
    {
      name: 'a Linear event',
      delivery: { headers: { 'linear-signature': '1' }, json: { organizationId: 'o-1' } },
      id: 'linear:o-1',
    },
    {
      name: 'a WhatsApp message',
      delivery: { headers: whatsapp, json: { entry: [{ changes: [{ value: { metadata: { phone_number_id: '99' } } }] }] } },
      id: 'whatsapp:99',
    },
    { name: 'a WhatsApp delivery with nothing in it', delivery: ofAccount([]), id: 'whatsapp' },
    { name: 'a WhatsApp delivery without changes', delivery: ofAccount([{ changes: [] }]), id: 'whatsapp' },
    { name: 'a WhatsApp delivery with a change to nothing', delivery: ofAccount([{ changes: [{}] }]), id: 'whatsapp' },
    { name: 'a WhatsApp delivery about an account', delivery: ofAccount([{ changes: [{ value: {} }] }]), id: 'whatsapp' },
    { name: "WhatsApp's challenge", delivery: { get: 'hub.mode=subscribe&hub.challenge=1' }, id: 'whatsapp' },
    {
      name: 'a Teams activity',
      delivery: { json: { channelId: 'msteams', conversation: { tenantId: 't-1' } } },
      id: 'teams:t-1',
    },
    {
      name: 'a Teams activity in a channel, which names its tenant elsewhere',
      delivery: { json: { channelId: 'msteams', conversation: {}, channelData: { tenant: { id: 't-2' } } } },
      id: 'teams:t-2',
    },
    { name: 'a Teams activity without a tenant', delivery: { json: { channelId: 'msteams', channelData: {} } }, id: 'teams' },
    { name: 'a Teams activity without any data', delivery: { json: { channelId: 'msteams' } }, id: 'teams' },
    {
      name: 'Telegram, which does not say',
      delivery: { headers: { 'x-telegram-bot-api-secret-token': 's' }, json: { update_id: 1 } },
      id: undefined,
    },
    { name: 'a body that does not parse', delivery: { headers: slack, json: 'not json' }, id: 'slack' },
    { name: 'a stranger', delivery: { json: { team_id: 'T1' } }, id: undefined },
    {
      name: "a stranger's POST with the query of WhatsApp's challenge",
      delivery: { query: 'hub.challenge=1', json: {} },
      id: undefined,
    },
    { name: 'a browser', delivery: { get: '' }, id: undefined },
    { name: 'an id of the wrong kind', delivery: { headers: slack, json: { team_id: { $ne: '' } } }, id: 'slack' },
    {
      name: 'a value that cannot be made a text',
      delivery: { headers: slack, json: { team_id: 'T1', is_enterprise_install: { toString: 1 } } },
      id: 'slack:T1',
    },
    { name: 'null', delivery: { headers: slack, json: null }, id: 'slack' },
  ])('$name', async ({ delivery, id }) => {
    const given = request(delivery);
    expect(await connectionIdOf(given)).toBe(id);
    expect(given.bodyUsed, 'the handler reads it afterwards').toBe(false);
  });

  test('reads JSON of no declared type', async () => {
    const body = new TextEncoder().encode(JSON.stringify({ team_id: 'T1' }));
    expect(await connectionIdOf(new Request('https://gateway/hook', { method: 'POST', headers: slack, body }))).toBe('slack:T1');
  });
});
