import { createHmac, timingSafeEqual } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { ConnectionRegistry, MemoryStore } from 'hydrant';

const sign = (secret, body) => createHmac('sha256', secret).update(body).digest('hex');

function createRegistry() {
  globalThis.registriesMade = (globalThis.registriesMade ?? 0) + 1;
  const registry = new ConnectionRegistry({
    store: new MemoryStore([{ id: 'acme', secret: 's3cret' }]),
    factory: {
      create: ({ id }) => ({ say: (text) => `${id}: ${text}` }),
      async dispose() {
        await pause(300);
        console.log('disposed');
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
  process.once('SIGTERM', async () => {
    globalThis.ending = true;
    await pause(Number(process.env.NOTICE_MS ?? 5_000));
    await registry.close();
    console.log('registry closed');
    process.exit();
  });
  return registry;
}

/** Next makes a bundle for each route, and reloads modules in development. `globalThis` keeps one registry. */
export const registry = globalThis.hydrantRegistry ??= createRegistry();
