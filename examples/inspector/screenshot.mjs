/** Takes `screenshot.png` anew, with Debian's chromium or the one CHROMIUM_PATH names. `npm run build` first. */
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { listen } from '../support/recording-server.mjs';
import { createOperators } from './operators.mjs';
import { startTraffic } from './traffic.mjs';

const traffic = startTraffic();
const { listener, stop } = createOperators({ registry: traffic.registry, password: 'open' });
const server = createServer(listener);
const origin = await listen(server);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
try {
  const page = await browser.newPage({
    httpCredentials: { username: 'operator', password: 'open' }, viewport: { width: 1200, height: 900 }, colorScheme: 'light',
  });
  await page.goto(origin);
  await delay(Number(process.env.SECONDS ?? 45) * 1_000); // for a chart that shows something
  await page.getByRole('button', { name: 'Last failure' }).click();
  await delay(1_500);
  await page.screenshot({ path: process.argv[2] ?? fileURLToPath(new URL('screenshot.png', import.meta.url)) });
} finally {
  await browser.close();
  stop();
  server.closeAllConnections();
  server.close();
  await traffic.stop();
}
