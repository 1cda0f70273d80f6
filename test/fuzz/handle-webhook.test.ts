import { expect, test } from 'vitest';
import { randomFrom, type Random } from '../properties/simulation/random.js';
import { campaignOf, collectUnhandled } from './campaign.js';
import { Gateway } from './gateway.js';

const { count: COUNT, seed: SEED } = campaignOf(3_000);
const ANSWERS = new Set([200, 401, 404, 413, 500, 503]);

const text = (random: Random, most: number): string =>
  String.fromCharCode(
    ...Array.from({ length: random.below(most) }, () =>
      random.pick([random.below(32), 32 + random.below(95), 128 + random.below(65_000)]),
    ),
  );

/** Any value in place of an id, from strings that are almost valid to other types. */
function anyId(random: Random): unknown {
  return random.pick<() => unknown>([
    () => `c${random.below(5)}`,
    () => `u${random.below(1_000)}`,
    () => text(random, 40),
    () => 'x'.repeat(random.below(5_000)),
    () =>
      random.pick([
        '',
        '.',
        '..',
        '../c0',
        'c0/../c1',
        '%00',
        'c0\0',
        '__proto__',
        'constructor',
        'toString',
        "' or 1=1 --",
        'c0\n',
        ' c0',
        'C0',
      ]),
    () => random.pick([undefined, null, 0, Number.NaN, {}, [], Symbol('id'), () => 'c0', 10n, { toString: () => 'c0' }]),
  ])();
}

function anyBody(random: Random): RequestInit {
  const chunks = random.below(6);
  const stream = (end: 'close' | 'error' | 'never'): RequestInit => {
    let sent = 0;
    return {
      duplex: 'half',
      body: new ReadableStream<unknown>({
        pull(controller) {
          if (sent++ < chunks)
            controller.enqueue(random.chance(0.9) ? new Uint8Array(random.below(600)) : 'a string, which is no chunk');
          else if (end === 'close') controller.close();
          else if (end === 'error') controller.error(new Error('connection reset'));
        },
      }) as never,
    } as RequestInit;
  };
  return random.pick<() => RequestInit>([
    () => ({}), () => ({ body: text(random, 400) }), () => ({ body: new Uint8Array(random.below(3_000)) }),
    () => stream('close'), () => stream('error'), () => stream('never'),
  ])();
}

function anyRequest(random: Random): Request {
  const method = random.pick(['POST', 'POST', 'POST', 'GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PURGE']);
  const headers = new Headers();
  for (let count = random.below(6); count > 0; count--) {
    try {
      headers.append(
        random.pick(['x-signature', 'content-type', 'content-length', 'transfer-encoding', 'x-odd', text(random, 10)]),
        random.pick([
          'good',
          'bad',
          '-1',
          '0',
          '99999999999999999999',
          'NaN',
          'chunked',
          text(random, 200),
          'v'.repeat(random.below(10_000)),
        ]),
      );
    } catch { /* no header can be that */ }
  }
  const controller = new AbortController();
  const request = new Request('http://gateway.test/hook?x=%27', {
    method, headers, signal: controller.signal, ...(method === 'GET' || method === 'HEAD' ? {} : anyBody(random)),
  });
  const meddling = random.below(20);
  if (meddling < 2) void request.text().catch(() => undefined);
  else if (meddling < 3) request.body?.getReader();
  else if (meddling < 5) controller.abort();
  else if (meddling < 7) queueMicrotask(() => controller.abort());
  return request;
}

test(
  'every request gets one of the statuses of the table, never an exception or silence',
  { timeout: 60_000 },
  async () => {
    const random = randomFrom(SEED);
    const acquireTimeoutMs = 1_000;
    const gateway = new Gateway(5, { webhook: { maxBodyBytes: 1_024 }, acquireTimeoutMs });
    const unhandled = collectUnhandled();
    const statuses = new Map<number, number>();
    for (let sent = 0; sent < COUNT; sent += 100) {
      const answers = Array.from({ length: 100 }, () =>
        gateway.registry.handleWebhook(anyId(random) as string, anyRequest(random)),
      );
      await gateway.clock.advance(acquireTimeoutMs);
      for (const response of await Promise.all(answers)) {
        expect(response).toBeInstanceOf(Response);
        statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
        await response.text();
      }
    }
    expect([...statuses.keys()].filter((status) => !ANSWERS.has(status))).toEqual([]);
    expect([...statuses.keys()].toSorted((a, b) => a - b), 'each was reached').toEqual([200, 401, 404, 413, 500, 503]);
    await gateway.registry.close();
    expect(gateway.registry.snapshot().connections).toEqual([]);
    expect(gateway.clock.pendingTimers).toBe(0);
    await new Promise((resolve) => void setImmediate(resolve));
    expect(unhandled).toEqual([]);
  },
);
