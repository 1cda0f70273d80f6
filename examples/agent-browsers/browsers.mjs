import { chromium } from 'playwright-core';
import { ConnectionRegistry } from 'hydrant';

/**
 * A Chromium of its own for each agent. Only the browsers in use are open, and an agent's cookies outlive its browser.
 *
 * @typedef {import('hydrant').ConnectionRecord & { locale: string }} AgentRow
 * @typedef {NonNullable<import('playwright-core').BrowserContextOptions['storageState']>} StorageState
 *
 * @typedef {object} Profiles cookies and local storage. They change with every use, so they are no part of the row.
 * @property {(id: string) => Promise<StorageState | undefined>} load
 * @property {(id: string, state: StorageState) => Promise<void>} save
 *
 * @param {{ store: import('hydrant').ConnectionStore<AgentRow>, profiles: Profiles, executablePath: string }
 *   & import('hydrant').RegistryTuning} options
 */
export function createBrowsers({ store, profiles, executablePath, ...tuning }) {
  const registry = new ConnectionRegistry({
    store,
    factory: {
      /** @param {AgentRow} record @param {import('hydrant').HydrationContext} context */
      async create({ id, locale }, { signal, retire, onDispose }) {
        const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
        onDispose(() => browser.close());
        signal.throwIfAborted(); // the start was given up while the browser started
        browser.once('disconnected', () => retire(new Error('the browser has ended')));
        const storageState = await profiles.load(id);
        return browser.newContext({ locale, ...(storageState && { storageState }) });
      },
      // Two browsers of one agent would each save their own cookies, and one would overwrite the other's.
      replacement: 'drain-first',
    },
    idleTimeoutMs: 5 * 60_000,
    ...tuning,
  });

  return {
    registry,
    /**
     * Runs `work` in a page of the agent's browser, and saves its cookies.
     *
     * @template T
     * @param {string} id
     * @param {(page: import('playwright-core').Page) => Promise<T>} work
     */
    browse: (id, work) => registry.use(id, async (context) => {
      const page = await context.newPage();
      try {
        const result = await work(page);
        await profiles.save(id, await context.storageState());
        return result;
      } finally {
        await page.close().catch(() => {}); // a browser that has crashed cannot close a page
      }
    }),
  };
}
