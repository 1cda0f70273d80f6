import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chromiumPath } from '../support/chromium.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
let folder: string;
beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'hydrant-reference-')); });
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Documented { readonly comment?: { readonly summary: readonly unknown[] } }
interface Reflection extends Documented {
  readonly name: string;
  readonly kind: number;
  readonly children?: readonly Reflection[];
  readonly signatures?: readonly Documented[];
}

/** TypeDoc's number for what another entry exports as well, and is described there. */
const REFERENCE = 4_194_304;

test('typedoc renders every entry without a warning, and every export has something to say', async () => {
  const json = join(folder, 'reference.json');
  const {
    code = 0,
    stdout,
    stderr,
  } = (await promisify(execFile)(
    process.execPath,
    [
      `${root}node_modules/typedoc/bin/typedoc`,
      '--tsconfig',
      `${root}test/docs/tsconfig.json`,
      '--out',
      join(folder, 'html'),
      '--json',
      json,
      '--logLevel',
      'Warn',
    ],
    { cwd: root, env: { ...process.env, NO_COLOR: '1' } },
  ).catch((error: { code: number; stdout: string; stderr: string }) => error)) as {
    code?: number;
    stdout: string;
    stderr: string;
  };
  expect({ code, output: `${stdout}${stderr}` }).toEqual({ code: 0, output: '' });

  const { children: entries = [] } = JSON.parse(await readFile(json, 'utf8')) as Reflection;
  const { exports } = JSON.parse(await readFile(`${root}package.json`, 'utf8')) as { exports: Record<string, unknown> };
  const published = Object.keys(exports).filter((path) => path !== './package.json').map((path) => path.replace('.', 'hydrant'));
  expect(entries.map(({ name }) => name).toSorted()).toEqual(published.toSorted());

  const says = ({ comment }: Documented): boolean => (comment?.summary.length ?? 0) > 0;
  const silent = entries.flatMap(({ name: entry, children = [] }) => children
    .filter((one) => one.kind !== REFERENCE && ![one, ...one.signatures ?? []].some(says))
    .map(({ name }) => `${entry}: ${name}`));
  expect(silent).toEqual([]);
  expect(entries.filter((entry) => !says(entry)).map(({ name }) => name)).toEqual([]);
}, 120_000);

test('the site has every page of the manual, no link in it is dead, and an index for language models', async () => {
  const site = join(folder, 'html');
  const pages = (await readdir(site, { recursive: true })).filter((path) => path.endsWith('.html'));
  const guides = (await readdir(`${root}examples/guides`)).filter((name) => name.endsWith('.md'));
  expect(pages.filter((path) => path.startsWith('documents/'))).toHaveLength(guides.length);
  expect([...(await readFile(join(site, 'llms.txt'), 'utf8')).matchAll(/\]\(documents\//g)]).toHaveLength(guides.length);

  const dead: string[] = [];
  for (const page of pages) {
    const html = await readFile(join(site, page), 'utf8');
    for (const [, target = ''] of html.matchAll(/(?:href|src)="(?!https?:|#|data:)([^"#?]+)/g)) {
      const path = decodeURIComponent(target);
      if (!existsSync(join(dirname(join(site, page)), path))) dead.push(`${page}: ${path}`);
    }
  }
  expect(dead).toEqual([]);
});

test.runIf(chromiumPath !== undefined)(
  'the site works by keyboard in a real browser, in light and dark, and logs no error',
  async () => {
    const browser = await chromium.launch({
      executablePath: chromiumPath as string,
      args: ['--no-sandbox', '--allow-file-access-from-files'],
    });
    try {
      const page = await browser.newPage();
      const problems: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error') problems.push(message.text());
      });
      page.on('pageerror', (error) => problems.push(error.message));
      await page.goto(pathToFileURL(join(folder, 'html/index.html')).href);

      await page.keyboard.press('/');
      const search = page.locator('#tsd-search input');
      await search.waitFor();
      await page.waitForFunction(`!/Preparing/.test(document.querySelector('#tsd-search-status').textContent)`);
      await search.pressSequentially('invalidate');
      const found = page.locator('#tsd-search-results li').first();
      await found.waitFor();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await page.waitForURL(/invalidate/i);

      const background = async (colorScheme: 'light' | 'dark'): Promise<string> => {
        await page.emulateMedia({ colorScheme });
        return page.evaluate('getComputedStyle(document.body).backgroundColor');
      };
      expect(await background('light')).not.toBe(await background('dark'));
      expect(problems).toEqual([]);
    } finally {
      await browser.close();
    }
  },
  60_000,
);
