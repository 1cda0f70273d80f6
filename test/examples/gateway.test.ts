import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MemoryStore } from 'hydrant';
import { eventually, example, listening } from './support.js';

const { createGateway } = await example('gateway/gateway.mjs');
const { startWorld } = await example('gateway/world.mjs');

describe('examples/gateway', () => {
  let world: any;
  let gateway: any;
  let origin: string;
  let failures: string[];
  let close: () => Promise<void>;

  beforeEach(async () => {
    world = await startWorld();
    gateway = createGateway({ store: new MemoryStore(world.rows), surroundings: world.surroundings });
    failures = [];
    gateway.registry.on('webhookFailed', ({ id, error }: { id: string; error: { code: string } }) =>
      failures.push(`${id} ${error.code}`),
    );
    const server = await listening(gateway.app);
    origin = server.origin;
    close = async () => {
      await server[Symbol.asyncDispose]();
      await gateway.registry.close();
      await world.close();
    };
  });
  afterEach(() => close());

  const send = async (platform: string, request: RequestInit): Promise<number> =>
    (await fetch(`${origin}/webhooks/acme-${platform}`, request)).status;
  const sendAll = async (secret?: string): Promise<Record<string, number>> => {
    const requests: [string, RequestInit][] = Object.entries(await world.requests(secret));
    return Object.fromEntries(
      await Promise.all(requests.map(async ([platform, request]) => [platform, await send(platform, request)])),
    );
  };
  const write = async (id: string): Promise<number> => (await fetch(`${origin}/connections/${id}/messages`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ to: '7', text: 'Lunch' }),
  })).status;

  test('serves every platform cold, each by its own factory', async () => {
    expect(await sendAll()).toEqual({ slack: 200, telegram: 200, github: 204, discord: 200, whatsapp: 200 });
    await eventually(() => world.said()).toEqual({
      slack: ['42 (hi)'],
      telegram: ['Hello, Ada'],
      github: ['Thank you.'],
      discord: ['42 (hi)'],
      whatsapp: ['You said: hi (Acme)'],
    });
    expect(gateway.registry.snapshot().live).toBe(5);
  });

  test('calls no vendor and hydrates nothing for forged requests', async () => {
    expect(await sendAll('a guess')).toEqual({ slack: 401, telegram: 401, github: 401, discord: 401, whatsapp: 401 });
    expect({ calls: world.calls(), live: gateway.registry.snapshot().live }).toEqual({ calls: 0, live: 0 });
  });

  test('refuses a row it has no factory for, for that row alone', async () => {
    expect(await send('fax', { method: 'POST', body: 'beep' })).toBe(500);
    expect(failures).toEqual(['acme-fax INVALID_RECORD']);
    expect(await write('acme-fax')).toBe(500);
    expect(await write('acme-telegram')).toBe(204);
  });

  test('writes through the same instances, and says why it cannot', async () => {
    expect(await write('acme-whatsapp')).toBe(204);
    expect(world.said().whatsapp).toEqual(['Lunch (Acme)']);
    expect(await write('acme-github')).toBe(409);
    expect(await write('nobody')).toBe(404);
  });

  test('is not ready any more while it closes, and refuses with a 503', async () => {
    expect((await fetch(`${origin}/ready`)).status).toBe(200);
    await gateway.registry.close();
    expect((await fetch(`${origin}/ready`)).status).toBe(503);
    expect({ write: await write('acme-telegram'), delivery: await send('telegram', (await world.requests()).telegram) }).toEqual({
      write: 503,
      delivery: 503,
    });
  });
});
