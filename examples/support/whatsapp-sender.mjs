import { createHmac } from 'node:crypto';

/**
 * A message as the Cloud API sends it, signed: what `fetch` takes.
 *
 * @param {{ appSecret: string, text: string, from?: string }} message
 */
export function whatsappMessage({ appSecret, text, from = '4915112345' }) {
  const messages = [{ from, id: 'wamid.1', type: 'text', text: { body: text } }];
  const body = JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [{ id: '1', changes: [{ field: 'messages', value: { messages } }] }],
  });
  const signature = createHmac('sha256', appSecret).update(body).digest('hex');
  return { method: 'POST', headers: { 'content-type': 'application/json', 'x-hub-signature-256': `sha256=${signature}` }, body };
}
