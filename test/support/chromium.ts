import { existsSync } from 'node:fs';

/** A real browser, where there is one. */
export const chromiumPath = [
  process.env['CHROMIUM_PATH'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path !== undefined && path !== '' && existsSync(path));
if (chromiumPath === undefined) {
  if (process.env['REQUIRE_SERVERS'] === '1')
    throw new Error('pages are tested in a real browser: install chromium or set CHROMIUM_PATH');
  process.stderr.write(
    '\n*** NO CHROMIUM: pages are NOT tested. Install it or set CHROMIUM_PATH; REQUIRE_SERVERS=1 makes this a failure.\n\n',
  );
}
