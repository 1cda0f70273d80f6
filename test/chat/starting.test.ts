import { createMemoryState } from '@chat-adapter/state-memory';
import { afterEach, describe, expect, test } from 'vitest';
import { adaptersOf, botsOver, deliver, secretOf, slashCommand, type Bots } from './support/bots.js';
import { fakeVendors } from './support/vendors.js';

const vendors = fakeVendors();
const { slackBot } = vendors;

let bots: Bots;
afterEach(async () => {
  await (bots as Bots | undefined)?.registry.close();
});

describe('an instance that cannot start', () => {
  test('fails to hydrate when the platform refuses its token, instead of answering 200', async () => {
    bots = botsOver([{ ...slackBot('s', null), apiUrl: `${vendors.slack.url}not-there/` }]);
    bots.registry.on('hydrationFailed', () => {});
    const response = await deliver(bots, 's', slashCommand(secretOf('s')));
    expect({ status: response.status, heard: bots.heard }).toEqual({ status: 503, heard: [] });
  });

  test('is shut down when setup throws', async () => {
    const shutDowns: string[] = [];
    bots = botsOver([slackBot('s')], {
      setup(chat, { id }) {
        const shutdown = chat.shutdown.bind(chat);
        chat.shutdown = () => { shutDowns.push(id); return shutdown(); };
        throw new Error('no handlers today');
      },
    });
    bots.registry.on('hydrationFailed', () => {});
    await expect(bots.registry.use('s', () => {})).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
    expect(shutDowns).toEqual(['s']);
  });

  test('stops polling although its start was aborted before', async () => {
    let initialized = (): void => {};
    const polls: string[] = [];
    const poller = {
      name: 'custom',
      initialize: () => new Promise<void>((resolve) => { initialized = () => { polls.push('started'); resolve(); }; }),
      stopPolling: async () => { polls.push('stopped'); },
      handleWebhook: async () => new Response(),
    };
    bots = botsOver([slackBot('s')], { adapters: () => ({ custom: poller }) });
    const caller = new AbortController();
    const use = bots.registry.use('s', () => {}, { signal: caller.signal });
    while (bots.creates() === 0) await new Promise(setImmediate);
    await new Promise(setImmediate);
    caller.abort();
    await expect(use).rejects.toThrow();
    initialized();
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    expect(polls.at(-1)).toBe('stopped');
    expect(polls).toContain('started');
  });

  test('stops polling when it is replaced, although it is still in use', async () => {
    let stops = 0;
    const poller = {
      name: 'custom',
      isPolling: true,
      initialize: async () => {},
      stopPolling: async () => {
        stops += 1;
      },
      handleWebhook: async () => new Response(),
    };
    bots = botsOver([slackBot('s')], { adapters: () => ({ custom: poller }) });
    const lease = await bots.registry.acquire('s');
    void bots.registry.invalidate('s');
    const whileInUse = stops;
    lease.release();
    expect(whileInUse).toBe(1);
  });

  test('is started again after a failure with an adapter that the application keeps', async () => {
    const failures = [new Error('the platform is down')];
    const adapter = {
      name: 'custom',
      initialize: async () => { for (const failure of failures.splice(0)) throw failure; },
      handleWebhook: async () => new Response(),
    };
    bots = botsOver([slackBot('s')], { adapters: () => ({ adapter }) }, { failureBackoff: { initialMs: 0, maxMs: 0 } });
    bots.registry.on('hydrationFailed', () => {});
    await expect(bots.registry.use('s', () => {})).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
    expect(await bots.registry.use('s', () => 'served')).toBe('served');
  });

  test('stops polling when it is replaced, although it began only after its start', async () => {
    const poller = {
      name: 'custom',
      isPolling: false,
      stopPolling: async () => { poller.isPolling = false; },
      handleWebhook: async () => new Response(),
    };
    bots = botsOver([slackBot('s')], { adapters: () => ({ custom: poller }) });
    const lease = await bots.registry.acquire('s');
    poller.isPolling = true;
    void bots.registry.invalidate('s');
    const whileInUse = poller.isPolling;
    lease.release();
    expect(whileInUse).toBe(false);
  });

  /** An adapter that polls from the end of its start on. Each step of `stop` is noted. */
  const pollerThat = (starts: () => Promise<void>) => {
    const poller = {
      name: 'custom',
      isPolling: false,
      initialize: async () => { await starts(); poller.isPolling = true; },
      stopPolling: async () => { poller.isPolling = false; },
      handleWebhook: async () => new Response(),
    };
    return poller;
  };
  const turns = async (): Promise<void> => { for (let n = 0; n < 5; n += 1) await new Promise(setImmediate); };

  test('leaves no adapter polling that starts after another one has failed', async () => {
    let start = (): void => {};
    const slow = pollerThat(() => new Promise<void>((resolve) => { start = resolve; }));
    const broken = pollerThat(async () => { throw new Error('the token was revoked'); });
    bots = botsOver([slackBot('s')], { adapters: () => ({ broken, slow }) });
    bots.registry.on('hydrationFailed', () => {});
    await expect(bots.registry.use('s', () => {})).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
    start();
    await turns();
    expect(slow.isPolling).toBe(false);
  });

  test('leaves no adapter polling that starts while another one never does', async () => {
    let start = (): void => {};
    const slow = pollerThat(() => new Promise<void>((resolve) => { start = resolve; }));
    const hanging = pollerThat(() => new Promise<void>(() => {}));
    bots = botsOver([slackBot('s')], { adapters: () => ({ hanging, slow }) });
    const caller = new AbortController();
    const use = bots.registry.use('s', () => {}, { signal: caller.signal });
    while (bots.creates() === 0) await new Promise(setImmediate);
    await turns();
    caller.abort();
    await expect(use).rejects.toThrow();
    start();
    await turns();
    expect(slow.isPolling).toBe(false);
  });

  test('leaves no adapter polling that has started before another one was refused', async () => {
    const poller = pollerThat(async () => {});
    const refused = { ...slackBot('s', null), apiUrl: `${vendors.slack.url}not-there/` };
    bots = botsOver([refused], { adapters: (record) => ({ ...adaptersOf(record), poller }) });
    bots.registry.on('hydrationFailed', () => {});
    await expect(bots.registry.use('s', () => {})).rejects.toMatchObject({ code: 'HYDRATION_FAILED' });
    expect(poller.isPolling).toBe(false);
  });

  test('asks no vendor when it was aborted while its state connected', async () => {
    let starts = 0;
    let connect: (() => void) | undefined;
    const state = createMemoryState();
    state.connect = () => new Promise<void>((resolve) => { connect = resolve; });
    bots = botsOver([slackBot('s')], { state, adapters: () => ({ adapter: pollerThat(async () => { starts += 1; }) }) });
    const caller = new AbortController();
    const use = bots.registry.use('s', () => {}, { signal: caller.signal });
    await expect.poll(() => connect).toBeDefined();
    caller.abort();
    await expect(use).rejects.toThrow();
    connect?.();
    await turns();
    expect(starts).toBe(0);
  });

  test('asks no vendor when it was aborted during setup', async () => {
    let starts = 0;
    const adapter = pollerThat(async () => { starts += 1; });
    let end = (): void => {};
    const began: string[] = [];
    bots = botsOver([slackBot('s')], {
      adapters: () => ({ adapter }),
      setup: (_chat, { id }) => { began.push(id); return new Promise<void>((resolve) => { end = resolve; }); },
    });
    const caller = new AbortController();
    const use = bots.registry.use('s', () => {}, { signal: caller.signal });
    while (began.length === 0) await new Promise(setImmediate);
    caller.abort();
    await expect(use).rejects.toThrow();
    end();
    await turns();
    expect(starts).toBe(0);
  });
});

describe('an instance that is edited while it starts', () => {
  test('does not poll beside its successor, although its caller still uses it', async () => {
    const pollers: { isPolling: boolean; stopPolling: () => void }[] = [];
    const starts: (() => void)[] = [];
    bots = botsOver([slackBot('s')], {
      adapters: () => {
        const poller = {
          name: 'custom',
          isPolling: false,
          initialize: () => new Promise<void>((resolve) => { starts.push(() => { poller.isPolling = true; resolve(); }); }),
          // It throws instead of rejecting. That must not end the process.
          stopPolling: () => { poller.isPolling = false; throw new Error('it was not polling'); },
          handleWebhook: async () => new Response(),
        };
        pollers.push(poller);
        return { custom: poller };
      },
    });
    bots.registry.on('disposeFailed', () => {});
    const first = bots.registry.acquire('s');
    while (starts.length < 1) await new Promise(setImmediate);
    await bots.store.put(slackBot('s', 'U2'));
    const second = bots.registry.acquire('s');
    while (starts.length < 2) await new Promise(setImmediate);
    for (const start of starts) start();
    const leases = [await first, await second];
    const polling = pollers.map(({ isPolling }) => isPolling);
    for (const lease of leases) lease.release();
    expect(polling).toEqual([false, true]);
  });
});
