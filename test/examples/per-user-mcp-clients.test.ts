import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MemoryStore } from 'hydrant';
import { eventually, example } from './support.js';

const { createClients } = await example('per-user-mcp-clients/clients.mjs');
const { startMcpServer } = await example('support/mcp-server.mjs');

interface McpServer {
  readonly url: string;
  readonly sessions: Map<string, unknown>;
  readonly discoveries: string[];
  readonly begun: number;
  close(): Promise<void>;
}

let users: Map<string, string>;
let server: McpServer;
let store: MemoryStore<{ id: string; url: string; accessToken: string }>;
let clients: any;

/** Two users of one server. */
function serve(options: { sessions: boolean }): void {
  beforeEach(async () => {
    users = new Map([['token-1', 'ada'], ['token-2', 'eve']]);
    server = await startMcpServer(users, options);
    store = new MemoryStore([
      { id: 'ada:calendar', url: server.url, accessToken: 'token-1' },
      { id: 'eve:calendar', url: server.url, accessToken: 'token-2' },
    ]);
    clients = createClients({ store, failureBackoff: { initialMs: 0, maxMs: 0 } });
    clients.registry.on('hydrationFailed', () => {});
  });
  afterEach(async () => {
    await clients.registry.close();
    await server.close();
  });
}

const whoami = async (grant: string): Promise<string> => (await clients.call(grant, 'whoami')).content[0].text;

describe.each([
  { protocol: '2026-07-28', sessions: false },
  { protocol: '2025-11-25', sessions: true },
])('examples/per-user-mcp-clients, with a server that speaks $protocol', ({ protocol, sessions }) => {
  serve({ sessions });

  test('connects once per user, for any number of calls at a time, without a warning', async () => {
    const warnings: Error[] = [];
    const listener = (warning: Error): void => void warnings.push(warning);
    process.on('warning', listener);
    const answers = await Promise.all(
      ['ada', 'eve'].flatMap((user) => Array.from({ length: 25 }, () => whoami(`${user}:calendar`))),
    );
    expect(answers.toSorted()).toEqual(['ada', 'eve'].flatMap((user) => Array.from({ length: 25 }, () => user)));
    expect({
      spoken: await clients.registry.use('ada:calendar', ({ client }: any) => client.getNegotiatedProtocolVersion()),
      discoveries: server.discoveries.toSorted(),
      sessions: server.begun,
      tools: await clients.tools('ada:calendar'),
    }).toEqual({
      spoken: protocol, discoveries: sessions ? [] : ['ada', 'eve'], sessions: sessions ? 2 : 0, tools: ['whoami'],
    });
    process.off('warning', listener);
    expect(warnings).toEqual([]);
  });

  test('lets go of a client whose token has expired, and connects with the new one once it was saved', async () => {
    expect(await whoami('ada:calendar')).toBe('ada');
    users.delete('token-1');
    users.set('token-3', 'ada');
    await expect(whoami('ada:calendar')).rejects.toMatchObject({ status: 401 });
    await expect(whoami('ada:calendar')).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
    await store.put({ id: 'ada:calendar', url: server.url, accessToken: 'token-3' });
    expect(await whoami('ada:calendar')).toBe('ada');
    expect(await whoami('eve:calendar')).toBe('eve');
  });

  test('closes the client of a grant that is withdrawn', async () => {
    await Promise.all([whoami('ada:calendar'), whoami('eve:calendar')]);
    await store.delete('ada:calendar');
    await expect(whoami('ada:calendar')).rejects.toMatchObject({ code: 'CONNECTION_NOT_FOUND' });
    await eventually(() => clients.registry.snapshot().live).toBe(1);
  });
});

describe('examples/per-user-mcp-clients, with sessions', () => {
  serve({ sessions: true });

  test('begins a new session when the server has forgotten the old one', async () => {
    expect(await whoami('ada:calendar')).toBe('ada');
    server.sessions.clear();
    await expect(whoami('ada:calendar')).rejects.toMatchObject({ status: 404 });
    expect(await whoami('ada:calendar')).toBe('ada');
    expect(server.begun).toBe(2);
  });

  test('ends the session when the grant is withdrawn, and every session when it closes', async () => {
    await Promise.all([whoami('ada:calendar'), whoami('eve:calendar')]);
    expect(server.sessions.size).toBe(2);
    await store.delete('ada:calendar');
    await expect(whoami('ada:calendar')).rejects.toMatchObject({ code: 'CONNECTION_NOT_FOUND' });
    await eventually(() => server.sessions.size).toBe(1);
    await clients.registry.close();
    expect(server.sessions.size).toBe(0);
  });
});
