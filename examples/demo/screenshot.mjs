/**
 * Takes `examples/guides/demo.png` again, with Debian's chromium or the one that CHROMIUM_PATH names. Reduce it to a
 * palette afterwards, because the package contains it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const TIMEOUT_MS = 600_000;
const demo = spawn(process.execPath, [fileURLToPath(new URL('run.mjs', import.meta.url)), '--watch'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const ended = once(demo, 'exit');
/** @type {Promise<string>} */
const origin = new Promise((resolve) => {
  let output = '';
  demo.stdout.on('data', (chunk) => {
    output += chunk;
    const [url] = /http:\S+(?= in a browser)/.exec(output) ?? [];
    if (url !== undefined) resolve(url);
  });
});
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
try {
  const page = await browser.newPage({ viewport: { width: 1240, height: 640 }, colorScheme: 'light' });
  page.setDefaultTimeout(TIMEOUT_MS);
  await page.goto(await origin);
  // Now all three ways have played the 200 commands.
  await page.getByRole('region', { name: 'hydrant', exact: true }).getByText('200 replied').waitFor();
  await page.screenshot({ path: process.argv[2] ?? fileURLToPath(new URL('../guides/demo.png', import.meta.url)) });
} finally {
  await browser.close();
  demo.kill('SIGINT');
  await ended;
}
