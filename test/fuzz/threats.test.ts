import { describe, expect, test } from 'vitest';
import { Gateway } from './gateway.js';

/*
 * The threat model, in numbers: what somebody without a signature can make the gateway do, and the bound on it. Each test
 * prints its row of the table in examples/guides/security.md.
 */

function print(what: string, statuses: Map<number, number>, { reads, readsAtOnce, secrets, creates }: Gateway): void {
  const answered = [...statuses].map(([status, count]) => `${count} × ${status}`).join(', ');
  console.log(`| ${what} | ${answered} | ${reads}, ${readsAtOnce} at a time | ${secrets} | ${creates} |`);
}

async function flood(
  gateway: Gateway,
  count: number,
  id: (index: number) => string,
  init?: RequestInit,
): Promise<Map<number, number>> {
  const statuses = new Map<number, number>();
  for (let sent = 0; sent < count; sent += 500) {
    const responses = await Promise.all(
      Array.from({ length: Math.min(500, count - sent) }, (_, index) => gateway.deliver(id(sent + index), init)),
    );
    for (const { status } of responses) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  return statuses;
}

describe('what an unauthenticated sender can cause', () => {
  test('malformed ids cause no read', async () => {
    const gateway = new Gateway(1);
    const statuses = await flood(gateway, 2_000, (index) => `../${index}`);
    print('malformed ids', statuses, gateway);
    expect(statuses).toEqual(new Map([[404, 2_000]]));
    expect(gateway).toMatchObject({ reads: 0, secrets: 0, creates: 0 });
  });

  test('one unknown id causes one read per notFoundTtlMs, and those under way', async () => {
    const gateway = new Gateway(1);
    const statuses = await flood(gateway, 2_000, () => 'unknown');
    print('one unknown id', statuses, gateway);
    expect(statuses).toEqual(new Map([[404, 2_000]]));
    expect(gateway.reads).toBeLessThanOrEqual(2);
    expect(gateway).toMatchObject({ secrets: 0, creates: 0 });
  });

  test('new unknown ids cause one read each, 32 at a time', async () => {
    const gateway = new Gateway(1);
    const statuses = await flood(gateway, 5_000, (index) => `u${index}`);
    print('a new unknown id each time', statuses, gateway);
    expect(statuses).toEqual(new Map([[404, 5_000]]));
    expect(gateway).toMatchObject({ reads: 5_000, secrets: 0, creates: 0 });
    expect(gateway.readsAtOnce).toBeLessThanOrEqual(32);
  });

  test('forgeries for one connection cause at most a read each, secrets once, and no create', async () => {
    const gateway = new Gateway(1);
    const statuses = await flood(gateway, 2_000, () => 'c0');
    print('forgeries for a known connection', statuses, gateway);
    expect(statuses).toEqual(new Map([[401, 2_000]]));
    expect(gateway.reads).toBeLessThanOrEqual(2_000);
    expect(gateway).toMatchObject({ secrets: 1, creates: 0, handled: 0 });
  });

  test('forgeries for a thousand connections cause at most a read each, secrets once each, and no create', async () => {
    const gateway = new Gateway(1_000);
    const statuses = await flood(gateway, 4_000, (index) => `c${index % 1_000}`);
    print('forgeries for a thousand connections', statuses, gateway);
    expect(statuses).toEqual(new Map([[401, 4_000]]));
    expect(gateway.reads).toBeLessThanOrEqual(4_000);
    expect(gateway.readsAtOnce).toBeLessThanOrEqual(32);
    expect(gateway).toMatchObject({ secrets: 1_000, creates: 0, handled: 0 });
  });

  test('bodies over the cap are refused before secrets and authenticate', async () => {
    const gateway = new Gateway(1, { webhook: { maxBodyBytes: 1_000 } });
    const statuses = await flood(gateway, 500, () => 'c0', { body: 'x'.repeat(1_001) });
    print('bodies over the cap', statuses, gateway);
    expect(statuses).toEqual(new Map([[413, 500]]));
    expect(gateway).toMatchObject({ secrets: 0, creates: 0 });
  });

  test('a flood of forgeries does not stop authentic deliveries from being served', async () => {
    const gateway = new Gateway(1_000, { maxConcurrentHydrations: 1, maxQueuedHydrations: 10 });
    const forged = flood(gateway, 2_000, (index) => `c${index % 500}`);
    const genuine = await Promise.all(
      Array.from({ length: 10 }, (_, index) => gateway.deliver(`c${990 + index}`, { headers: { 'x-signature': 'good' } })),
    );
    expect(genuine.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    expect(await forged).toEqual(new Map([[401, 2_000]]));
    expect(gateway).toMatchObject({ creates: 10, handled: 10 });
    expect(gateway.codes.get('OVERLOADED')).toBeUndefined();
  });

  test('senders that never finish are given up after acquireTimeoutMs, and keep nothing', async () => {
    const gateway = new Gateway(1, { acquireTimeoutMs: 1_000 });
    const slow = Array.from({ length: 500 }, () =>
      gateway.deliver('c0', { body: new ReadableStream(), duplex: 'half' } as RequestInit),
    );
    await gateway.clock.advance(1_000);
    const statuses = (await Promise.all(slow)).map(({ status }) => status);
    print('bodies that never end', new Map([[503, statuses.filter((status) => status === 503).length]]), gateway);
    expect(new Set(statuses)).toEqual(new Set([503]));
    expect(gateway).toMatchObject({ secrets: 0, creates: 0 });
    expect(gateway.registry.snapshot().connections).toEqual([]);
    await gateway.registry.close();
    expect(gateway.clock.pendingTimers).toBe(0);
  });
});
