import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * Makes a sender over the Cloud API of the row of a WhatsApp Business number.
 *
 * @typedef {import('hydrant').ConnectionRecord & {
 *   phoneNumberId: string, accessToken: string, appSecret: string, verifyToken: string,
 * }} WhatsAppRow
 *
 * @param {{ graphUrl?: string | undefined }} [surroundings] Meta's own by default
 */
export function whatsappFactory({ graphUrl = 'https://graph.facebook.com/v24.0' } = {}) {
  /** @param {WhatsAppRow} record @param {import('hydrant').HydrationContext} context */
  async function create({ phoneNumberId, accessToken }, { signal, retire }) {
    /** @param {string} path @param {RequestInit} [init] */
    const graph = async (path, init) => {
      const response = await fetch(`${graphUrl}/${phoneNumberId}${path}`, {
        ...init, headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
      });
      if (response.ok) return response.json();
      const error = new Error(`the Cloud API answered ${response.status}`);
      if (response.status === 401) retire(error); // the token was revoked: do not serve with it again
      throw error;
    };
    const { verified_name: name } = await graph('?fields=verified_name', { signal });
    return {
      /** @param {string} to @param {string} text */
      send: async (to, text) => {
        const message = { messaging_product: 'whatsapp', to, type: 'text', text: { body: `${text} (${name})` } };
        await graph('/messages', { method: 'POST', body: JSON.stringify(message) });
      },
    };
  }

  /** @satisfies {import('hydrant').InstanceFactory<WhatsAppRow, Awaited<ReturnType<typeof create>>>} */
  const factory = {
    create,

    async authenticate(request, { record }) {
      // Meta asks once whether the URL is yours: answered from the row.
      if (request.method === 'GET') {
        const query = new URL(request.url).searchParams;
        const isAsked = query.get('hub.mode') === 'subscribe' && isSame(query.get('hub.verify_token') ?? '', record.verifyToken);
        return isAsked && new Response(query.get('hub.challenge'));
      }
      const digest = createHmac('sha256', record.appSecret).update(Buffer.from(await request.arrayBuffer())).digest('hex');
      return isSame(request.headers.get('x-hub-signature-256') ?? '', `sha256=${digest}`);
    },

    // Meta sends again for up to seven days, so an error is an honest answer here.
    async handleWebhook(number, request) {
      const { entry } = await request.json();
      for (const { changes } of entry) {
        for (const { value } of changes) {
          for (const { from, text } of value.messages ?? []) await number.send(from, `You said: ${text.body}`);
        }
      }
      return new Response();
    },
  };
  return factory;
}

/** @param {string} given @param {string} expected */
function isSame(given, expected) {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
