import { EventEmitter } from 'node:events';
import { createMemoryState } from '@chat-adapter/state-memory';
import { createSlackAdapter } from '@chat-adapter/slack';
import type { Chat } from 'chat';
import { chatFactory } from 'hydrant/chat';
import { factoryConformance, type FactoryCapabilities } from 'hydrant/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lineFactory } from '../../examples/custom-adapter/factory.mjs';
import { startLineServer } from '../../examples/support/line-server.mjs';
import { silent } from '../chat/support/bots.js';
import { factoryFailures } from './support/conformance.js';
import { mailboxes, type Parts } from './support/factories.js';
import { startVendor } from './support/vendor.js';

const CONNECTED: FactoryCapabilities = { connected: true, events: true };
/** Broken ones wait for what never comes. */
const IMPATIENT: FactoryCapabilities = { ...CONNECTED, timeoutMs: 150, lives: 20 };

describe('a correct factory', () => {
  factoryConformance({ describe, it: test }, () => mailboxes(), CONNECTED);
});

describe("a correct factory with 'drain-first' whose server accepts one connection at a time", () => {
  factoryConformance({ describe, it: test }, () => mailboxes({}, { exclusive: true, drainFirst: true }), CONNECTED);
});

describe('hydrant/chat', () => {
  factoryConformance({ describe, it: test }, async () => {
    const vendor = await startVendor();
    const record = { id: 'a', version: 1, status: 'active' as const, token: 'xoxb-good' };
    const factory = chatFactory({
      state: createMemoryState(),
      adapters: ({ token }: typeof record) => ({
        slack: createSlackAdapter({
          signingSecret: 's',
          botToken: token,
          apiUrl: vendor.url,
          logger: silent,
          webClientOptions: { retryConfig: { retries: 0 } },
        }),
      }),
      setup: (_chat: Chat) => {},
      config: () => ({ logger: 'silent' }),
    });
    return {
      factory, record, failing: { ...record, token: 'revoked' },
      ...vendor,
      use: (chat: Chat) => chat.channel('slack:C1').post('hello'),
    };
  }, { lives: 50 });
});

describe('the example of a custom adapter', () => {
  factoryConformance({ describe, it: test }, async () => {
    const server = await startLineServer();
    const record = {
      id: 'a',
      version: 1,
      status: 'active' as const,
      port: server.port,
      name: 'bot',
      password: 'right',
      greeting: 'hi',
    };
    return {
      factory: lineFactory,
      record,
      failing: { ...record, password: 'wrong' },
      behave: (mode) => server.behave(mode),
      open: () => server.open,
      reset: () => server.reset(),
      hangUp: () => server.drop('bot'),
      use: async (adapter) => {
        const before = server.log.length;
        adapter.say('ada', 'hello');
        while (server.log.length === before) await new Promise(setImmediate);
      },
      received: () => server.log.filter((line) => line.includes('MSG')).length,
      push: () => server.tell('bot', 'news'),
      heard: () => server.log.filter((line) => line.endsWith('MSG ada hi')).length,
      close: () => server.close(),
    };
  }, CONNECTED);
});

/** One broken factory of each kind, and the test that finds it. */
const KINDS: readonly { kind: keyof Parts; found: RegExp }[] = [
  { kind: 'closesWhatFailed', found: /^start: a failed start leaves nothing open$/ },
  { kind: 'heedsItsSignal', found: /^start: an aborted start ends in time/ },
  { kind: 'listensForErrors', found: /^error: an 'error' event after the start/ },
  { kind: 'retires', found: /^close: a close from outside/ },
  { kind: 'stopsItsTimer', found: /^stop: ends in time/ },
  { kind: 'maySayGoodbyeTwice', found: /^stop: ends in time/ },
  { kind: 'endsInTime', found: /^stop: ends in time/ },
  { kind: 'heedsSupersession', found: /^events: they reach the application/ },
  { kind: 'leavesTheSharedAlone', found: /^lives: 20 of them leave no/ },
  { kind: 'heedsEarlySupersession', found: /^events: none .* superseded during its start$/ },
  { kind: 'heedsEarlySupersession', found: /^events: none .* superseded before its start$/ },
  { kind: 'stopsItsQuietTimer', found: /^lives: 20 of them leave no/ },
  { kind: 'closesItsFile', found: /^lives: 20 of them leave no/ },
  { kind: 'leavesTheProcessAlone', found: /^lives: 20 of them leave no/ },
  { kind: 'tidiesUpAfterAFailure', found: /^start: 20 that fail or are aborted leave no/ },
  { kind: 'catchesItsRejections', found: /^close: a close from outside/ },
];

describe('one broken factory of each kind fails', () => {
  // One of them leaves listeners on the process, of which Node would warn.
  const { defaultMaxListeners } = EventEmitter;
  beforeAll(() => { process.setMaxListeners(0); });
  afterAll(() => { process.setMaxListeners(defaultMaxListeners); });

  test.each(KINDS)('$kind', async ({ kind, found }) => {
    const failed = await factoryFailures(() => mailboxes({ [kind]: false }), IMPATIENT);
    expect(Object.keys(failed)).toEqual(expect.arrayContaining([expect.stringMatching(found)]));
  });

  test("an 'error' event without a listener before and during the start", async () => {
    const failed = await factoryFailures(() => mailboxes({ listensForErrors: false }), IMPATIENT);
    expect(Object.keys(failed)).toEqual(expect.arrayContaining([
      expect.stringMatching(/^error: .* before the start/), expect.stringMatching(/^error: .* during the start/),
    ]));
    expect(Object.values(failed).join()).toContain('ends the process');
  });

  test("an 'error' event as the server closes fails its test and does not end the run", async () => {
    const failed = await factoryFailures(async () => {
      const subject = await mailboxes();
      return { ...subject, close: async () => { await subject.close?.(); setTimeout(() => { throw new Error('late'); }, 5); } };
    }, { ...IMPATIENT, lives: 1 });
    expect(Object.values(failed).join()).toContain('ends the process');
  });

  test.each([
    { member: 'create', step: 'a start' },
    { member: 'dispose', step: 'dispose' },
  ])('a $member that hangs, and the failure names the step', async ({ member, step }) => {
    const failed = await factoryFailures(async () => {
      const subject = await mailboxes();
      return { ...subject, factory: { ...subject.factory, [member]: () => new Promise(() => {}) } };
    }, { ...IMPATIENT, timeoutMs: 40, lives: 1 });
    expect(Object.values(failed).join()).toContain(`not within 40 ms: ${step}`);
  });

  test('and the timers of the process stay as they were', async () => {
    const { setInterval } = globalThis;
    const failed = await factoryFailures(() => mailboxes({ closesWhatFailed: false }), { ...IMPATIENT, timeoutMs: 40, lives: 1 });
    expect(failed).not.toEqual({});
    expect(globalThis.setInterval).toBe(setInterval);
  });

  test('two instances that silently disturb each other', async () => {
    const failed = await factoryFailures(() => mailboxes({}, { exclusive: true }), { ...CONNECTED, lives: 20 });
    expect(failed).toEqual({
      "replacement: two instances of one row overlap, unless the factory says 'drain-first'": expect.stringContaining(
        'disturb each other',
      ) as string,
    });
  });
});
