import { createHmac, timingSafeEqual } from 'node:crypto';
import { ConnectionRegistry, MemoryStore } from '../hydrant.mjs';
import { survivingBytes } from '../measure/heap.mjs';
import { interleaved } from '../measure/rounds.mjs';

const SECRET = 'a secret of thirty-two characters';
const BODY = JSON.stringify({ type: 'event_callback', text: 'hello '.repeat(30) });
const SIGNATURE = sign(BODY);

/** The same work by hand: the body is read once, one Request is made to verify and one for the handler. */
export const BY_HAND = 'by hand, a Request for each';
/** By hand, when the end of the response's body has to be known: it is read, and a Response is made of its bytes. */
export const BY_HAND_TO_THE_END = 'by hand, the response read to its end';
export const HANDLE_WEBHOOK = 'hydrant handleWebhook';

/** `handleWebhook` with a small signed body against the same two functions behind a bare Map. */
export async function webhook({ rounds, only, reference = BY_HAND }) {
  const registry = openRegistry();
  const map = new Map([['acme', { handled: 0 }]]);
  const byHand = handlerByHand(map);
  const subjects = [
    subject(BY_HAND, byHand),
    subject(BY_HAND_TO_THE_END, async (id, request) => {
      const response = await byHand(id, request);
      const { status, statusText, headers } = response;
      return new Response(await readToTheEnd(response.body), { status, statusText, headers });
    }),
    subject('bare Map, body read once', async (id, request) => {
      const instance = map.get(id);
      if (instance === undefined) return new Response(null, { status: 404 });
      const body = await request.text();
      return isGenuine(body, request.headers) ? answer(instance, body) : new Response(null, { status: 401 });
    }),
    subject('bare Map, request cloned', async (id, request) => {
      const instance = map.get(id);
      if (instance === undefined) return new Response(null, { status: 404 });
      const genuine = isGenuine(await request.clone().text(), request.headers);
      return genuine ? answer(instance, await request.text()) : new Response(null, { status: 401 });
    }),
    subject(HANDLE_WEBHOOK, registry.handleWebhook),
    subject('hydrant, a forged one', registry.handleWebhook, { signature: sign('another body'), status: 401 }),
    subject('hydrant, an unknown id', registry.handleWebhook, { id: 'nobody', status: 404 }),
  ].filter(({ name }) => only === undefined || only.includes(name));
  const results = await interleaved(subjects, { reference, rounds });
  await registry.close();
  return results;
}

/** Bytes per delivery that are still there after a minor collection, by hand and by hydrant. */
export async function survivors() {
  const registry = openRegistry();
  const results = [];
  for (const [name, handle] of [
    [BY_HAND, handlerByHand(new Map([['acme', { handled: 0 }]]))],
    [HANDLE_WEBHOOK, registry.handleWebhook],
  ]) {
    const { before, run } = subject(name, handle);
    const deliver = async (count) => {
      before(count);
      await run(count);
    };
    results.push({ name, bytes: await survivingBytes(deliver) });
  }
  await registry.close();
  return results;
}

/** `handleWebhook` of one build against that of another one, in turns. */
export async function webhookOf({ rounds, entries }) {
  const registries = await Promise.all(entries.map(async (entry) => openRegistry(await import(entry))));
  const names = ['this build', 'the other build'];
  const subjects = registries.map((registry, at) => subject(names[at], registry.handleWebhook));
  const [{ ratio, low, high }] = await interleaved(subjects, { reference: names[1], rounds });
  for (const registry of registries) await registry.close();
  return [{ name: 'handleWebhook', ratio, low, high }];
}

function openRegistry(build = { ConnectionRegistry, MemoryStore }) {
  return new build.ConnectionRegistry({
    store: new build.MemoryStore([{ id: 'acme', secret: SECRET }]),
    freshness: { maxStaleMs: 1e9 },
    notFoundTtlMs: 1e9,
    factory: {
      create: () => ({ handled: 0 }),
      authenticate: async (request) => isGenuine(await request.text(), request.headers),
      handleWebhook: async (instance, request) => answer(instance, await request.text()),
    },
  });
}

function handlerByHand(map) {
  return async (id, request) => {
    const instance = map.get(id);
    if (instance === undefined) return new Response(null, { status: 404 });
    const { url, method, headers } = request;
    const body = await request.arrayBuffer();
    const verified = new Request(url, { method, headers, body });
    if (!isGenuine(await verified.text(), verified.headers)) return new Response(null, { status: 401 });
    return answer(instance, await new Request(url, { method, headers, body }).text());
  };
}

function subject(name, handle, { id = 'acme', signature = SIGNATURE, status = 200 } = {}) {
  let requests = [];
  return {
    name,
    size: 200,
    before(size) {
      requests = Array.from({ length: size }, () => new Request(`http://localhost/webhooks/${id}`, {
        method: 'POST', body: BODY, headers: { 'content-type': 'application/json', 'x-signature': signature },
      }));
    },
    async run(size) {
      for (let at = 0; at < size; at += 1) {
        const response = await handle(id, requests[at]);
        const body = await response.text();
        if (response.status !== status || (status === 200 && body !== 'ok'))
          throw new Error(`${name} answered ${response.status}`);
      }
    },
  };
}

/** Unlike `arrayBuffer`, this could stop at a stream that does not end in this turn. */
async function readToTheEnd(body) {
  const reader = body.getReader();
  let whole;
  for (let part = await reader.read(); !part.done; part = await reader.read()) whole = part.value;
  return whole;
}

function answer(instance, body) {
  instance.handled += body.length;
  return new Response('ok');
}

function sign(body) {
  return createHmac('sha256', SECRET).update(body).digest('hex');
}

function isGenuine(body, headers) {
  return timingSafeEqual(Buffer.from(sign(body)), Buffer.from(headers.get('x-signature') ?? ''));
}
