import { MultiTenantChat } from '@delphi-ai/multi-tenant-chat';
import { createMemoryState } from '@chat-adapter/state-memory';
import { createSlackAdapter } from '@chat-adapter/slack';
import type { Logger } from 'chat';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { chatFactory } from 'hydrant/chat';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startFakeSlackApi, type FakeSlackApi } from '../../../examples/support/fake-slack-api.mjs';
import { slackSignature } from '../../../examples/support/slack-sender.mjs';

/*
 * The same connections behind hydrant/chat and behind the published wrapper of vercel/chat issue 563
 * (@delphi-ai/multi-tenant-chat 0.1.1). The table is printed, and each cell is an expectation.
 */
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
interface Row { readonly id: string; readonly secret: string; readonly name: string; readonly status?: 'active' | 'stopped' }

let slack: FakeSlackApi;
beforeAll(async () => {
  // The wrapper takes no logger for its `Chat`.
  vi.spyOn(console, 'info').mockImplementation(() => {});
  slack = await startFakeSlackApi();
});
afterAll(() => slack.close());
beforeEach(() => slack.reset());

/** Counts what each way makes and ends. */
interface Gateway {
  readonly put: (row: Row) => Promise<void>;
  readonly send: (id: string, secret: string, text?: string) => Promise<number>;
  readonly seen: { creates: number; disconnects: number; heard: string[] };
}

function adapterOf(row: Row, seen: Gateway['seen']) {
  const adapter = createSlackAdapter({ signingSecret: row.secret, botToken: 'xoxb-1', apiUrl: slack.url, logger: silent });
  const { initialize, disconnect } = adapter;
  adapter.initialize = (chat) => { seen.creates += 1; return initialize.call(adapter, chat); };
  adapter.disconnect = async () => { seen.disconnects += 1; return disconnect.call(adapter); };
  return adapter;
}

function mention(secret: string, text: string): Request {
  const event = {
    type: 'message',
    channel_type: 'im',
    channel: 'D1',
    user: 'U2',
    text,
    ts: `${Date.now() / 1000}.${String(Math.random()).slice(2, 8)}`,
  };
  const body = JSON.stringify({ type: 'event_callback', team_id: 'T1', event_id: `E${Math.random()}`, event });
  return new Request('https://gateway', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...slackSignature(secret, body) },
    body,
  });
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 200 && !condition(); turn += 1) await new Promise((resolve) => { setTimeout(resolve, 5); });
}

function viaHydrant(max: number): Gateway {
  const seen: Gateway['seen'] = { creates: 0, disconnects: 0, heard: [] };
  const store = new MemoryStore<Row>([]);
  const factory = chatFactory({
    state: createMemoryState(),
    adapters: (record: Row & { version: string | number | bigint; status: 'active' | 'stopped' }) => ({
      slack: adapterOf(record, seen),
    }),
    setup: (chat, record) => {
      chat.onDirectMessage((_thread, message) => {
        seen.heard.push(`${record.name}: ${message.text}`);
      });
    },
    config: () => ({ logger: 'silent' }),
  });
  const registry = new ConnectionRegistry({ store, factory, maxInstances: max, notFoundTtlMs: 0 });
  return {
    seen,
    put: async (row) => { await store.put(row); },
    send: async (id, secret, text = 'hi') => (await registry.handleWebhook(id, mention(secret, text))).status,
  };
}

function viaWrapper(max: number): Gateway {
  const seen: Gateway['seen'] = { creates: 0, disconnects: 0, heard: [] };
  const rows = new Map<string, Row>();
  const manager = new MultiTenantChat<Row & { platform: string }>({
    resolveConnection: async ({ connectionKey, platform }) => {
      const row = rows.get(connectionKey);
      return row === undefined || row.status === 'stopped' ? null : { ...row, platform };
    },
    resolveCredentials: async (row) => ({ ...row }) as never,
    // Its types are those of another copy of the SDK.
    state: createMemoryState() as never,
    platforms: { slack: (row) => adapterOf(row as unknown as Row, seen) as never },
    onDirectMessage: async ({ connection }, _thread, message) => { seen.heard.push(`${connection.name}: ${message.text}`); },
    runtimeCacheMax: max,
  });
  return {
    seen,
    put: async (row) => {
      rows.set(row.id, row);
    },
    send: async (id, secret, text = 'hi') =>
      (await manager.handleWebhook(mention(secret, text), { platform: 'slack', connectionKey: id })).status,
  };
}

const WAYS = { 'hydrant/chat': viaHydrant, 'the wrapper': viaWrapper };

interface Outcome { readonly [column: string]: string | number }

const SCENARIOS: Record<string, { run: (gateway: Gateway) => Promise<Outcome>; expected: Record<keyof typeof WAYS, Outcome> }> = {
  'forged: 10 cold connections': {
    async run({ put, send, seen }) {
      const statuses = new Set<number>();
      for (let n = 0; n < 10; n += 1) {
        await put({ id: `c${n}`, secret: 'right', name: 'bot' });
        statuses.add(await send(`c${n}`, 'wrong'));
      }
      return { statuses: [...statuses].join(), creates: seen.creates, 'vendor calls': slack.calls.get('auth.test') ?? 0 };
    },
    expected: {
      'hydrant/chat': { statuses: '401', creates: 0, 'vendor calls': 0 },
      'the wrapper': { statuses: '401', creates: 10, 'vendor calls': 10 },
    },
  },
  'cold: 20 deliveries at once': {
    async run({ put, send, seen }) {
      await put({ id: 'c', secret: 's', name: 'bot' });
      const statuses = await Promise.all(Array.from({ length: 20 }, (_, n) => send('c', 's', `m${n}`)));
      await until(() => seen.heard.length >= 20);
      return { statuses: [...new Set(statuses)].join(), creates: seen.creates };
    },
    expected: { 'hydrant/chat': { statuses: '200', creates: 1 }, 'the wrapper': { statuses: '200', creates: 1 } },
  },
  'edited: a new signing secret and name': {
    async run({ put, send, seen }) {
      await put({ id: 'c', secret: 'old', name: 'old' });
      await send('c', 'old', 'before');
      await put({ id: 'c', secret: 'new', name: 'new' });
      const outcome = {
        'with the new secret': await send('c', 'new', 'after'),
        'with the revoked one': await send('c', 'old', 'stolen'),
      };
      await until(() => seen.heard.length >= 2);
      return { ...outcome, heard: seen.heard.join('; ') };
    },
    expected: {
      'hydrant/chat': { 'with the new secret': 200, 'with the revoked one': 401, heard: 'old: before; new: after' },
      'the wrapper': { 'with the new secret': 401, 'with the revoked one': 200, heard: 'old: before; old: stolen' },
    },
  },
  'evicted: 30 connections through 10 places': {
    async run({ put, send, seen }) {
      for (let n = 0; n < 30; n += 1) {
        await put({ id: `c${n}`, secret: 's', name: 'bot' });
        await send(`c${n}`, 's');
      }
      await until(() => seen.creates - seen.disconnects <= 10);
      return { created: seen.creates, 'left open': seen.creates - seen.disconnects };
    },
    expected: { 'hydrant/chat': { created: 30, 'left open': 10 }, 'the wrapper': { created: 30, 'left open': 30 } },
  },
};

test.each(Object.entries(SCENARIOS))('%s', async (name, { run, expected }) => {
  const outcomes: Record<string, Outcome> = {};
  for (const [way, make] of Object.entries(WAYS)) {
    slack.reset();
    outcomes[way] = await run(make(10));
    process.stdout.write(
      `${name.padEnd(44)} ${way.padEnd(14)} ${Object.entries(outcomes[way])
        .map(([column, value]) => `${column}: ${value}`)
        .join(', ')}\n`,
    );
  }
  expect(outcomes).toEqual(expected);
});
