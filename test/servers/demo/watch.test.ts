import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chromiumPath } from '../../support/chromium.js';

const DEMO = fileURLToPath(new URL('../../../examples/demo/run.mjs', import.meta.url));
/** The demo takes half a minute, and several times that on a busy machine. */
const PATIENCE_MS = 300_000;

/** Keeps every text that the page shows. On a busy machine, the test would come too late to see some of them. */
const RECORDER = `
  const shown = globalThis.shown = new Set();
  new MutationObserver(() => {
    for (const id of ['feed', 'scenario']) shown.add(document.getElementById(id)?.textContent);
    for (const way of document.querySelectorAll('.way')) {
      const name = way.querySelector('h2').textContent;
      const add = (words) => shown.add(name + ': ' + words);
      for (const { children } of way.querySelectorAll('tbody tr'))
        add([...children].slice(0, 3).map(({ textContent }) => textContent).join(' '));
      const counts = way.querySelector('.counts')?.textContent;
      add(counts + ' (' + way.querySelectorAll('rect.mark-m').length + ' red)');
    }
  }).observe(document, { subtree: true, childList: true, characterData: true });
`;

/** A run of `npm run demo -- --watch`. Its processes carry a marker, and its files go to a folder of their own. */
class Run {
  readonly folder = mkdtempSync(join(tmpdir(), 'hydrant-watch-'));
  readonly exit: Promise<{ code: number | null; signal: string | null }>;
  output = '';
  readonly #marker = `${process.pid}-${Math.random()}`;
  readonly child: ChildProcess;

  constructor() {
    this.child = spawn(process.execPath, [DEMO, '--watch'], {
      env: { ...process.env, TMPDIR: this.folder, DEMO_MARKER: this.#marker },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) stream?.on('data', (chunk) => { this.output += chunk; });
    this.exit = once(this.child, 'exit').then(([code, signal]) => ({ code, signal }));
  }

  async origin(): Promise<string> {
    const url = (): string | undefined => /http:\/\/\S+(?= in a browser)/.exec(this.output)?.[0];
    await expect.poll(() => url() ?? this.child.exitCode, { timeout: PATIENCE_MS, interval: 50 }).not.toBe(null);
    expect(this.output).toContain(' in a browser');
    return url() ?? '';
  }

  /** The command lines of the processes that are still there. PostgreSQL gets a clean environment: its folder tells. */
  left(): string[] {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
        return environment.includes(this.#marker) || command.includes(this.folder) ? [command] : [];
      } catch {
        return []; // it has ended
      }
    });
  }

  files(): string[] {
    return readdirSync(this.folder);
  }
}

describe.runIf(chromiumPath !== undefined)('npm run demo -- --watch', () => {
  let browser: Browser;
  let page: Page;
  let run: Run;
  let problems: string[];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: chromiumPath as string, args: ['--no-sandbox'] });
  }, 60_000);
  afterAll(() => browser?.close());
  beforeEach(async () => {
    run = new Run();
    page = await browser.newPage({ viewport: { width: 1300, height: 1000 } });
    page.setDefaultTimeout(PATIENCE_MS);
    problems = [];
    page.on('console', (message) => { if (message.type() === 'error') problems.push(message.text()); });
    page.on('pageerror', (error) => problems.push(error.message));
  });
  afterEach(async () => {
    await page.close();
    run.child.kill('SIGKILL');
    await run.exit;
    rmSync(run.folder, { recursive: true, force: true });
  });

  const results = () =>
    page
      .locator('#results tbody tr')
      .evaluateAll((rows) =>
        Object.fromEntries(
          rows.map((row) => [row.children[0]?.textContent, [...row.children].slice(1).map((cell) => cell.textContent)]),
        ),
      );

  test('shows the replicas, the proxy and the Map beside hydrant while it plays, and ends cleanly', async () => {
    const requested: string[] = [];
    page.on('request', (request) => requested.push(new URL(request.url()).host));
    const origin = await run.origin();
    await page.addInitScript({ content: RECORDER });
    await page.goto(origin);
    await page.getByText('Finished').waitFor();
    expect(await page.evaluate('[...shown]')).toEqual(expect.arrayContaining([
      'Live',
      ...['express', 'fastify', 'hono'].map((replica) => `naive: ${replica} running 50`),
      'hydrant: hono running 0',
      'Scenario 3 of 9: 200 slash commands at once, one bot, all replicas cold',
      'naive: 67 replied, 133 404 (133 red)',
      'hydrant: 200 replied (0 red)',
      'Scenario 8 of 9: kill -9 of a replica under 60 commands a second',
      'hydrant: express gone 0',
    ]));
    const table = await results();
    expect(Object.keys(table)).toHaveLength(9);
    expect(table['one slash command, on a replica that is cold']).toEqual([
      '1 × 404✓ the command is lost', '1 × 200', '1 × 200✓ the command is answered✓ one create, one row read',
    ]);
    expect(JSON.stringify(table)).not.toContain('not so');
    expect({ exit: await run.exit, output: run.output }).toMatchObject({
      exit: { code: 0, signal: null }, output: expect.stringContaining('every expectation held'),
    });
    expect({ problems, hosts: [...new Set(requested)] }).toEqual({ problems: [], hosts: [new URL(origin).host] });
    expect({ processes: run.left(), files: run.files() }).toEqual({ processes: [], files: [] });
    expect(await page.getByText('Finished').isVisible(), 'the page keeps the results').toBe(true);
  }, PATIENCE_MS);

  test('interrupted in the middle, it leaves no process and no file, and the page says so', async () => {
    await page.goto(await run.origin());
    await page.getByText(/Scenario [2-9] of 9/).waitFor();
    expect(run.left().length).toBeGreaterThan(9);
    run.child.kill('SIGINT');
    expect(await run.exit).toEqual({ code: 130, signal: null });
    expect({ processes: run.left(), files: run.files() }).toEqual({ processes: [], files: [] });
    await page.getByText('The demo is not running').waitFor();
  }, PATIENCE_MS);

  test('interrupted before a browser has opened the page, it leaves nothing either', async () => {
    await run.origin();
    run.child.kill('SIGTERM');
    expect(await run.exit).toEqual({ code: 143, signal: null });
    expect({ processes: run.left(), files: run.files() }).toEqual({ processes: [], files: [] });
  }, PATIENCE_MS);

  test('the page answers to its own host alone, and only to GET', async () => {
    const origin = await run.origin();
    const { port } = new URL(origin);
    const status = (url: string, init?: RequestInit): Promise<number> => fetch(url, init).then((response) => response.status);
    expect({
      ip: await status(origin),
      name: await status(`http://localhost:${port}/`).catch(() => 'refused'),
      post: await status(origin, { method: 'POST' }),
      other: await status(`${origin}elsewhere`),
    }).toMatchObject({ ip: 200, post: 405, other: 404 });
    expect(await foreignHost(Number(port))).toBe(421);
    run.child.kill('SIGTERM');
    await run.exit;
  }, PATIENCE_MS);
});

/** `fetch` does not let a caller choose the Host header. */
async function foreignHost(port: number): Promise<number | undefined> {
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, headers: { host: 'rebound.example' } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).once('error', reject).end();
  });
}

