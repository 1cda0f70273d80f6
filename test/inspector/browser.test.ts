import { createServer, type Server } from 'node:http';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { ConnectionRegistry, MemoryStore, type ConnectionRecord } from 'hydrant';
import { createInspector, type Inspector } from 'hydrant/inspector';
import { toNodeHandler } from 'hydrant/node';
import { RecordingFactory } from 'hydrant/testing';
import { chromiumPath as executablePath } from '../support/chromium.js';

const TIMEOUT = 15_000;
const HOSTILE = '<img src=x onerror=alert(1)>"\'&';

describe.runIf(executablePath !== undefined)('the inspector’s page, in a real browser', () => {
  let browser: Browser;
  let page: Page;
  let server: Server;
  let origin: string;
  let factory: RecordingFactory;
  let registry: ConnectionRegistry<ConnectionRecord, any>;
  let inspector: Inspector;
  let problems: string[];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath as string, args: ['--no-sandbox'] });
  }, 60_000);
  afterAll(() => browser?.close());

  beforeEach(async () => {
    // These failures are intended, and an onlooker leaves them to the console.
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const ids = [
      'acme',
      'beta',
      'broken',
      HOSTILE,
      ...Array.from({ length: 250 }, (_, index) => `bot-${String(index).padStart(3, '0')}`),
    ];
    factory = new RecordingFactory();
    registry = new ConnectionRegistry<ConnectionRecord, any>({ store: new MemoryStore(ids.map((id) => ({ id }))), factory });
    inspector = createInspector(registry, { authorize: () => true, title: 'Bots', intervalMs: 50 });
    server = createServer(toNodeHandler(inspector));
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    page = await browser.newPage();
    page.setDefaultTimeout(TIMEOUT);
    problems = [];
    page.on('console', (message) => { if (message.type() === 'error') problems.push(message.text()); });
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('dialog', (dialog) => { problems.push(`a dialog: ${dialog.message()}`); void dialog.dismiss(); });
  }, 30_000);
  afterEach(async () => {
    vi.restoreAllMocks();
    await page.close();
    inspector.stop();
    server.closeAllConnections();
    await new Promise((resolve) => { server.close(resolve); });
    await registry.close();
  });

  const row = (id: string) => page.locator('tbody tr').filter({ has: page.getByRole('rowheader', { name: id, exact: true }) });
  const open = async (): Promise<void> => {
    await page.goto(`${origin}/admin`);
    await page.getByText('Live', { exact: true }).first().waitFor();
  };

  test('shows the connections, follows them live, and obeys its content policy', async () => {
    const lease = await registry.acquire('acme');
    await open();
    await row('acme').getByText('leased').waitFor();
    await registry.use('beta', () => {});
    await row('beta').getByText('idle').waitFor();
    lease.release();
    await row('acme').getByText('idle').waitFor();
    expect(await page.locator('#live').textContent()).toBe('2 of 1,000');
    expect(await page.locator('#latency-text').textContent()).toContain('2 succeeded, 0 failed');
    expect(await page.locator('#chart rect').count()).toBeGreaterThan(0);
    expect(problems).toEqual([]);
  }, 60_000);

  test('shows a failure, and when it is retried', async () => {
    factory.behaveOnCreate({ fail: new Error('secret') });
    await registry.use('broken', () => {}).catch(() => {});
    await open();
    await row('broken').getByText('HYDRATION_FAILED (1)').waitFor();
    expect(await page.content()).not.toContain('secret');
  }, 60_000);

  test('shows an id as text, whatever it is', async () => {
    await registry.use(HOSTILE, () => {});
    await open();
    await row(HOSTILE).waitFor();
    expect(await page.locator('tbody img').count()).toBe(0);
    expect(problems).toEqual([]);
  }, 60_000);

  test('evicts and invalidates by keyboard alone, and shows the result', async () => {
    await registry.use('acme', () => {});
    const lease = await registry.acquire('beta');
    await open();
    await row('beta').waitFor();
    expect(await page.getByRole('button', { name: 'Evict beta' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Evict acme' }).focus();
    await page.keyboard.press('Enter');
    await page.locator('#outcome').getByText('acme: Evicted').waitFor();
    await row('acme').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Invalidate beta' }).focus();
    await page.keyboard.press('Space');
    await page.locator('#outcome').getByText('beta: Invalidated').waitFor();
    await row('beta').getByText('draining').waitFor();
    expect(lease.stale).toBe(true);
    lease.release();
  }, 60_000);

  test('searches, filters, sorts and turns pages', async () => {
    await Promise.all(Array.from({ length: 250 }, (_, index) => registry.use(`bot-${String(index).padStart(3, '0')}`, () => {})));
    await open();
    await page.locator('#range').getByText('1 to 100').waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.locator('#range').getByText('101 to 200').waitFor();
    await page.getByLabel('Id contains').fill('BOT-24');
    await page.locator('#matching').getByText('10 of 250').waitFor();
    await page.getByLabel('State').selectOption('leased');
    await page.locator('#matching').getByText('0 of 250').waitFor();
    await page.getByRole('button', { name: 'Age' }).click();
    expect(await page.locator('th[aria-sort]').allTextContents()).toEqual(['Age']);
  }, 60_000);

  test('keeps the focus while rows come and go, and does not change while it is paused', async () => {
    await registry.use('beta', () => {});
    await open();
    const button = page.getByRole('button', { name: 'Invalidate beta' });
    await button.focus();
    await registry.use('acme', () => {});
    await row('acme').waitFor();
    expect(await button.evaluate((element) => element === element.ownerDocument.activeElement)).toBe(true);
    await page.getByRole('button', { name: 'Pause updates' }).click();
    expect(await page.getByRole('button', { name: 'Pause updates' }).getAttribute('aria-pressed')).toBe('true');
    await page.getByText('Paused', { exact: true }).waitFor();
    await registry.use('broken', () => {});
    expect(await row('broken').count()).toBe(0);
    await page.getByRole('button', { name: 'Pause updates' }).click();
    await row('broken').waitFor();
  }, 60_000);

  test('has a name for every control, in light and dark mode', async () => {
    await registry.use('acme', () => {});
    await open();
    await row('acme').waitFor();
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll('button, input, select, meter')]
        .filter((element) => {
          const labelled =
            element.getAttribute('aria-label') ?? element.getAttribute('aria-labelledby') ?? element.textContent?.trim();
          return !labelled && (element as HTMLInputElement).labels?.length !== 1;
        })
        .map((element) => element.outerHTML),
    );
    expect(nameless).toEqual([]);
    const background = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.emulateMedia({ colorScheme: 'light' });
    expect(await background()).toBe('rgb(255, 255, 255)');
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await background()).toBe('rgb(13, 17, 23)');
  }, 60_000);

  test('refuses actions of another origin, although the browser would send the credentials', async () => {
    await registry.use('acme', () => {});
    const elsewhere = createServer((_req, res) =>
      res.setHeader('content-type', 'text/html').end('<!doctype html><title>elsewhere</title>'),
    );
    await new Promise<void>((resolve) => { elsewhere.listen(0, '127.0.0.1', resolve); });
    await page.goto(`http://localhost:${(elsewhere.address() as { port: number }).port}/`);
    const outcomes = await page.evaluate(async (target) => {
      const attempt = (init: RequestInit): Promise<string> =>
        fetch(target, { method: 'POST', ...init }).then(
          ({ type }) => type,
          () => 'refused',
        );
      return [await attempt({ headers: { 'x-hydrant-inspector': '1' } }), await attempt({ mode: 'no-cors' })];
    }, `${origin}/admin?action=invalidate&id=acme`);
    expect(outcomes).toEqual(['refused', 'refused']);
    expect(registry.snapshot().idle).toBe(1);
    elsewhere.closeAllConnections();
    await new Promise((resolve) => { elsewhere.close(resolve); });
  }, 60_000);
});
