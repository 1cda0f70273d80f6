import { createHmac, generateKeyPairSync, sign } from 'node:crypto';

export interface Delivery {
  readonly headers: Record<string, string>;
  readonly body: string;
}

const json = { 'content-type': 'application/json' };
const hmac = (secret: string, body: string): string => createHmac('sha256', secret).update(body).digest('hex');

/** https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries */
export function fromGitHub(secret: string, event: string, payload: object): Delivery {
  const body = JSON.stringify(payload);
  return { headers: { ...json, 'x-github-event': event, 'x-hub-signature-256': `sha256=${hmac(secret, body)}` }, body };
}

/** https://developers.facebook.com/docs/graph-api/webhooks/getting-started */
export function fromWhatsApp(secret: string, text: string): Delivery {
  const message = { id: `wamid.${text}`, from: '4915', timestamp: '1', type: 'text', text: { body: text } };
  const value = {
    messaging_product: 'whatsapp', metadata: { display_phone_number: '1', phone_number_id: '99' },
    contacts: [{ wa_id: '4915', profile: { name: 'Ada' } }], messages: [message],
  };
  const body = JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [{ id: '1', changes: [{ field: 'messages', value }] }],
  });
  return { headers: { ...json, 'x-hub-signature-256': `sha256=${hmac(secret, body)}` }, body };
}

/** https://linear.app/developers/webhooks */
export function fromLinear(secret: string, text: string): Delivery {
  const body = JSON.stringify({
    action: 'create',
    type: 'Comment',
    organizationId: 'o1',
    webhookTimestamp: Date.now(),
    webhookId: 'w1',
    createdAt: new Date().toISOString(),
    actor: { id: 'u1', name: 'Ada', type: 'user', url: 'https://linear.app/ada' },
    url: 'https://linear.app/c',
    data: {
      id: `c-${text}`,
      body: text,
      issueId: 'i1',
      userId: 'u1',
      createdAt: new Date().toISOString(),
      updatedAt: new Date().toISOString(),
      issue: { id: 'i1', title: 't' },
      user: { id: 'u1', name: 'Ada', url: 'https://linear.app/o/profiles/ada' },
    },
  });
  return { headers: { ...json, 'linear-signature': hmac(secret, body) }, body };
}

/** https://docs.discord.com/developers/interactions/overview */
export function discordApplication() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex'),
    interaction(payload: object): Delivery {
      const body = JSON.stringify(payload);
      const timestamp = String(Math.floor(Date.now() / 1000));
      const signature = sign(null, Buffer.from(timestamp + body), privateKey).toString('hex');
      return { headers: { ...json, 'x-signature-ed25519': signature, 'x-signature-timestamp': timestamp }, body };
    },
  };
}

/** https://developers.google.com/workspace/chat/verify-requests-from-chat, with "project number" as the audience */
export function googleChat(projectNumber: string) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return {
    certificates: { k1: publicKey.export({ format: 'pem', type: 'spki' }).toString() },
    message(text: string): Delivery {
      const now = Math.floor(Date.now() / 1000);
      const claims = { iss: 'chat@system.gserviceaccount.com', aud: projectNumber, iat: now, exp: now + 300 };
      const unsigned = `${part({ alg: 'RS256', kid: 'k1', typ: 'JWT' })}.${part(claims)}`;
      const token = `${unsigned}.${sign('RSA-SHA256', Buffer.from(unsigned), privateKey).toString('base64url')}`;
      const sender = { name: 'users/1', displayName: 'Ada', type: 'HUMAN' };
      const space = { name: 'spaces/DM1', type: 'DM', spaceType: 'DIRECT_MESSAGE' };
      const message = {
        name: `spaces/DM1/messages/${text}`,
        sender,
        text,
        createTime: new Date().toISOString(),
        thread: { name: 'spaces/DM1/threads/T' },
        space,
      };
      return {
        headers: { ...json, authorization: `Bearer ${token}` },
        body: JSON.stringify({ chat: { user: sender, messagePayload: { space, message } } }),
      };
    },
  };
}
