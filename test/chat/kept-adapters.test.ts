import { createSlackAdapter } from '@chat-adapter/slack';
import { afterEach, describe, expect, test } from 'vitest';
import type { ConnectionError } from 'hydrant';
import { botsOver, deliver, silent, slashCommand, type Bot, type Bots } from './support/bots.js';
import { fakeVendors } from './support/vendors.js';

const vendors = fakeVendors();

const row = (id: string): Bot => ({ id, platform: 'slack', apiUrl: vendors.slack.url });

let bots: Bots;
afterEach(() => bots.registry.close());

/** Bots of two customers, whose application keeps one real Slack adapter for all of them. Both rows have its secret. */
function keepingOne() {
  const heard: string[] = [];
  const causes: string[] = [];
  const { url: apiUrl } = vendors.slack;
  const slack = createSlackAdapter({ signingSecret: 'both', botToken: 'xoxb-1', botUserId: 'U1', apiUrl, logger: silent });
  bots = botsOver([row('p'), row('q')], {
    adapters: () => ({ slack }),
    setup: (chat, { id }) => { chat.onSlashCommand('/ping', async () => { heard.push(`handler of ${id}`); }); },
  }, { failureBackoff: { initialMs: 0, maxMs: 0 } });
  bots.registry.on('hydrationFailed', ({ error }) => { causes.push(String((error as ConnectionError).cause)); });
  bots.registry.on('webhookFailed', ({ error }) => { causes.push(String((error as ConnectionError).cause)); });
  return { heard, causes };
}

describe('an adapter that the application keeps, although it should make new ones', () => {
  test('never serves two connections', async () => {
    const { causes } = keepingOne();
    expect(await bots.registry.use('p', () => 'served')).toBe('served');
    await expect(bots.registry.use('q', () => 'served')).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
    expect(causes).toEqual([
      "Error: adapters() returned the slack adapter of connection 'p' for connection 'q': return new adapters each time",
    ]);
    await bots.registry.invalidate('p');
    expect(await bots.registry.use('p', () => 'served by the next instance')).toBe('served by the next instance');
  });

  test('runs no handler of another connection for a delivery', async () => {
    const { heard, causes } = keepingOne();
    const statuses = [];
    for (const id of ['p', 'q', 'p']) statuses.push((await deliver(bots, id, slashCommand('both'))).status);
    expect({ heard, statuses }).toEqual({ heard: [], statuses: [503, 401, 503] });
    expect(causes[0]).toContain("returned the slack adapter of the verification of connection 'p' for connection 'p'");
  });

  test('runs no handler of another registry, although the connection has the same id there', async () => {
    const heard: string[] = [];
    const slack = createSlackAdapter({
      signingSecret: 'both', botToken: 'xoxb-1', botUserId: 'U1', apiUrl: vendors.slack.url, logger: silent,
    });
    const registryOf = (table: string): Bots => botsOver([row('1')], {
      adapters: () => ({ slack }),
      setup: (chat) => { chat.onSlashCommand('/ping', async () => { heard.push(`handler of ${table}`); }); },
    });
    const customers = registryOf('customers');
    bots = registryOf('partners');
    bots.registry.on('hydrationFailed', () => {});
    await customers.registry.use('1', async (chat) => {
      const refused = await bots.registry.use('1', () => 'served').catch((error: unknown) => String((error as Error).cause));
      const work: Promise<unknown>[] = [];
      await chat.webhooks['slack']?.(slashCommand('both'), { waitUntil: (task) => { work.push(task); } });
      await Promise.all(work);
      expect({ heard, refused }).toEqual({
        heard: ['handler of customers'],
        refused: "Error: adapters() returned the slack adapter of connection '1' of another factory for connection '1': "
          + 'return new adapters each time',
      });
    });
    await customers.registry.close();
  });

  test('runs no handler while a delivery is verified, also if it is the adapter of that connection', async () => {
    const { heard, causes } = keepingOne();
    await bots.registry.use('p', () => {});
    const { status } = await deliver(bots, 'p', slashCommand('both'));
    expect({ heard, status }).toEqual({ heard: [], status: 401 });
    expect(causes).toEqual([expect.stringContaining(
      "returned the slack adapter of connection 'p' for the verification of connection 'p': return new adapters each time",
    )]);
  });
});
