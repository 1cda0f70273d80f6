import { createHmac, timingSafeEqual } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionRegistry } from '../hydrant.mjs';
import { quantile } from '../measure/rounds.mjs';

const SECRET = 'a secret of thirty-two characters';
const BODY = JSON.stringify({ type: 'event_callback', text: 'hello '.repeat(30) });
const sign = (body) => createHmac('sha256', SECRET).update(body).digest('hex');
const GENUINE = sign(BODY);
const FORGED = sign('another body');
const KNOWN = 1_000;
const STRANGERS_PER_MS = 1;

const row = (id) => id.startsWith('unknown') ? undefined : { id, version: '1', status: 'active', secret: SECRET };
const read = async (answer) => { await sleep(1); return answer(); };
const asMap = (ids, valueOf) =>
  new Map(
    ids.flatMap((id) => {
      const value = valueOf(id);
      return value === undefined ? [] : [[id, value]];
    }),
  );

const FLOODS = {
  'nobody else': undefined,
  'ever new unknown ids': (count) => `unknown-${count}`,
  'forgeries for a thousand connections': (count) => `known-${count % KNOWN}`,
  'forgeries for the same connection': () => 'live',
};

/** The time of a genuine delivery to a live connection with strict freshness, beside 1 000 requests of strangers a second. */
export async function flood({ seconds = 4 }) {
  const results = Object.keys(FLOODS).map((name) => ({ name, times: [], handled: 0 }));
  // In turns, so that what else the machine does falls on all of them.
  for (let turn = 0; turn < 3 * results.length; turn += 1) {
    const result = results[turn % results.length];
    const { times, handled } = await drive(FLOODS[result.name], seconds * 1_000 / 3);
    result.times.push(...times);
    result.handled += handled;
  }
  return results.map(({ name, times, handled }) => ({
    name,
    strangers: handled,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
  }));
}

async function drive(idOf, ms) {
  const registry = new ConnectionRegistry({
    store: {
      get: (id) => read(() => row(id)),
      getMany: (ids) => read(() => asMap(ids, row)),
      getVersions: (ids) => read(() => asMap(ids, (id) => row(id)?.version)),
    },
    factory: {
      create: () => ({ handled: 0 }),
      authenticate: async (request, { record }) => {
        const expected = createHmac('sha256', record.secret)
          .update(await request.text())
          .digest();
        return timingSafeEqual(expected, Buffer.from(request.headers.get('x-signature') ?? '', 'hex'));
      },
      handleWebhook: async (instance, request) => {
        instance.handled += (await request.text()).length;
        return new Response('ok');
      },
    },
  });
  registry.on('webhookFailed', () => {});
  const deliver = (id, signature) => registry.handleWebhook(id, new Request(`http://localhost/webhooks/${id}`, {
    method: 'POST', body: BODY, headers: { 'content-type': 'application/json', 'x-signature': signature },
  }));
  const times = [];
  const pending = new Set();
  const watch = (promise) => { const one = promise.finally(() => pending.delete(one)); pending.add(one); };
  const genuine = async () => {
    const began = performance.now();
    const response = await deliver('live', GENUINE);
    times.push(performance.now() - began);
    if (response.status !== 200) throw new Error(`a genuine delivery was answered ${response.status}`);
  };
  await genuine();
  const start = performance.now();
  let strangers = 0;
  for (let now = start, count = 0; now - start < ms; now = performance.now()) {
    for (const due = idOf === undefined ? 0 : (now - start) * STRANGERS_PER_MS; strangers < due; strangers += 1) {
      watch(
        deliver(idOf(strangers), FORGED).then(({ status }) => {
          if (status < 400) throw new Error(`a stranger was answered ${status}`);
        }),
      );
    }
    for (const due = (now - start) / 5; count < due; count += 1) watch(genuine());
    await sleep(1);
  }
  await Promise.all(pending);
  await registry.close();
  return { times: times.slice(50), handled: strangers };
}
