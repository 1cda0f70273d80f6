import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { MemoryStore } from 'hydrant';
import { chromiumPath } from '../support/chromium.js';
import { eventually, example, gate } from './support.js';

const { createBrowsers } = await example('agent-browsers/browsers.mjs');
const { startShop } = await example('agent-browsers/shop.mjs');

const TIMEOUT = 180_000;

/** Chromium's main processes that this process has started. Each browser has one. */
function browsers(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((pid) => {
    try {
      const parent = /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      return parent === String(process.pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('chrom');
    } catch {
      return false; // it has ended
    }
  });
}

/** A browser that crashes leaves a folder in the temporary folder. It is removed at the end of the test. */
function collectWhatACrashLeaves(): void {
  const folder = mkdtempSync(join(tmpdir(), 'hydrant-browsers-'));
  vi.stubEnv('TMPDIR', folder);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });
}

describe.runIf(chromiumPath !== undefined)('examples/agent-browsers, with a real Chromium', () => {
  let shop: { url: string; close(): Promise<void> };
  let store: MemoryStore<{ id: string; locale: string }>;
  let saved: Map<string, unknown>;
  let agents: {
    registry: any;
    browse<T>(id: string, work: (page: Page) => Promise<T>): Promise<T>;
  };
  let running: number;

  beforeEach(async () => {
    running = browsers().length;
    shop = await startShop();
    store = new MemoryStore(['ada', 'eve', 'ian'].map((id) => ({ id, locale: 'en-GB' })));
    saved = new Map();
    agents = createBrowsers({
      store,
      profiles: {
        load: async (id: string) => saved.get(id),
        save: async (id: string, state: unknown) => void saved.set(id, state),
      },
      executablePath: chromiumPath as string,
      maxInstances: 1,
      acquireTimeoutMs: TIMEOUT,
    });
  });
  afterEach(async () => {
    await agents.registry.close();
    await shop.close();
    await eventually(() => browsers().length).toBe(running);
  });

  const login = (id: string): Promise<unknown> => agents.browse(id, (page) => page.goto(`${shop.url}/login?user=${id}`));
  const shown = (id: string, part = 'h1'): Promise<string | null> =>
    agents.browse(id, async (page) => {
      await page.goto(shop.url);
      return page.locator(part).textContent();
    });

  test('gives each agent a browser of its own, and its cookies back after an eviction', async () => {
    await login('ada');
    await login('eve');
    expect({ ian: await shown('ian'), ada: await shown('ada'), eve: await shown('eve') })
      .toEqual({ ian: 'nobody', ada: 'ada', eve: 'eve' });
    await eventually(() => browsers().length - running).toBe(1);
  }, TIMEOUT);

  test('closes no browser while a page of it is in use', async () => {
    const middle = gate();
    const open = gate();
    const slow = agents.browse('ada', async (page) => {
      await page.goto(shop.url);
      open.open();
      await middle.promise;
      return page.locator('h1').textContent();
    });
    await open.promise;
    expect(await shown('eve')).toBe('nobody');
    expect(await shown('ian')).toBe('nobody');
    middle.open();
    expect(await slow).toBe('nobody');
  }, TIMEOUT);

  test('starts a new browser after a crash, with the cookies saved before', async () => {
    collectWhatACrashLeaves();
    await login('ada');
    const crashed = agents.registry.use('ada', async (context: BrowserContext) => {
      const session = await context.browser()?.newBrowserCDPSession();
      await session?.send('Browser.crash').catch(() => {});
    });
    await crashed;
    await eventually(() => browsers().length - running).toBe(0);
    await eventually(() => shown('ada').catch(() => undefined)).toBe('ada');
  }, TIMEOUT);

  test('follows an edited row with a new browser, and never has two of one agent', async () => {
    await login('ada');
    expect(await shown('ada', 'p')).toContain('en-GB');
    await store.put({ id: 'ada', locale: 'de-DE' });
    expect({ language: await shown('ada', 'p'), user: await shown('ada') })
      .toEqual({ language: expect.stringContaining('de-DE') as string, user: 'ada' });
    expect(browsers().length - running).toBe(1);
  }, TIMEOUT);
});
