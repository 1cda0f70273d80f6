import { createHmac, timingSafeEqual } from 'node:crypto';
import { ConnectionRegistry, MemoryStore } from 'hydrant';

const sign = (secret: string, body: string): string => createHmac('sha256', secret).update(body).digest('hex');

/** The gateway of every recipe: one connection whose deliveries are signed, and which repeats the text of each. */
export function createBots() {
  let created = 0;
  let disposed = 0;
  const registry = new ConnectionRegistry({
    store: new MemoryStore([{ id: 'acme', secret: 's3cret' }]),
    factory: {
      create: ({ id }) => {
        created += 1;
        return { say: (text: string) => `${id}: ${text}` };
      },
      dispose: () => {
        disposed += 1;
      },
      async authenticate(request, { record }) {
        const expected = Buffer.from(sign(record.secret, await request.text()));
        const given = Buffer.from(request.headers.get('x-signature') ?? '');
        return given.length === expected.length && timingSafeEqual(given, expected);
      },
      handleWebhook: async (bot, request) =>
        new Response(bot.say(await request.text()), {
          headers: [
            ['set-cookie', 'a=1'],
            ['set-cookie', 'b=2'],
          ],
        }),
    },
  });
  registry.on('webhookFailed', () => {});
  return { registry, counts: () => ({ created, disposed }) };
}

/** White space and an escape, so that a body which was parsed and written again does not match its signature. */
const BODY = '{ "text":  "caf\\u00e9" }';

export interface Outcome {
  readonly good: { status: number; text: string; cookies: number };
  readonly forged: number;
  readonly unknown: number;
}

/** Sends a good delivery, a forged one, and one for nobody. */
export async function exercise(base: string): Promise<Outcome> {
  const send = (id: string, signature: string): Promise<Response> =>
    fetch(`${base}/webhooks/${id}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-signature': signature },
      body: BODY,
    });
  const good = await send('acme', sign('s3cret', BODY));
  return {
    good: { status: good.status, text: await good.text(), cookies: good.headers.getSetCookie().length },
    forged: (await send('acme', 'wrong')).status,
    unknown: (await send('nobody', 'wrong')).status,
  };
}

export const EXPECTED: Outcome = { good: { status: 200, text: `acme: ${BODY}`, cookies: 2 }, forged: 401, unknown: 404 };
