import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * The bot of every step. It is expensive to start, has state, and must be stopped once.
 *
 * @typedef {Awaited<ReturnType<typeof startBot>>} Bot
 */

/** Bots that were started and stopped, in this process. */
export const counts = { started: 0, stopped: 0 };

/** @param {{ greeting: string, secret: string }} row */
export async function startBot({ greeting, secret }) {
  counts.started += 1;
  await new Promise((resolve) => { setImmediate(resolve); }); // talks to its platform
  let isStopped = false;
  const answer = (/** @type {string} */ text) => {
    if (isStopped) throw new Error('this bot was stopped');
    return `${greeting} ${text}`;
  };
  return {
    /** @param {Request} request */
    async receive(request) {
      if (!await isSigned(request.clone(), secret)) return new Response(null, { status: 401 });
      return new Response(answer(await request.text()));
    },
    /** @param {string} text */
    async send(text) { return answer(text); },
    async stop() {
      isStopped = true;
      counts.stopped += 1;
    },
  };
}

/** @param {Request} request @param {string} secret */
export async function isSigned(request, secret) {
  const given = Buffer.from(request.headers.get('x-signature') ?? '');
  const expected = Buffer.from(signature(secret, await request.text()));
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** @param {string} secret @param {string} body */
export const signature = (secret, body) => createHmac('sha256', secret).update(body).digest('hex');
