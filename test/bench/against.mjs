/**
 * `node test/bench/against.mjs [--commit d1ed05e] [--rounds 21]`: the processor time of uses, of `handleWebhook`, and of
 * the adapters over loopback, against that of an older commit in the same run. The default is 0.1.0. Run it on the Node to
 * measure: `npx -y -p node@24.21.0 -- node test/bench/against.mjs`.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build, isBuilt } from '../../examples/support/build.mjs';
import { buildAt } from './measure/build-at.mjs';

const HERE = fileURLToPath(new URL('./', import.meta.url));
const { values } = parseArgs({
  options: { commit: { type: 'string', default: 'd1ed05e' }, rounds: { type: 'string', default: '21' } },
});
const rounds = Number(values.rounds);

if (!existsSync(`${HERE}node_modules`)) execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: HERE, stdio: 'inherit' });
if (!isBuilt()) await build();
const older = buildAt(values.commit);
try {
  const entries = [new URL('../../dist/index.js', import.meta.url).href, pathToFileURL(older.entry).href];
  console.log(`Node ${process.version}, processor time against ${values.commit}, median of ${rounds} rounds (middle half)`);
  const { webhookOf } = await import('./suites/webhook.mjs');
  const { httpOf } = await import('./suites/http.mjs');
  const { usesOf } = await import('./suites/uses.mjs');
  for (const suite of [usesOf, webhookOf, httpOf]) {
    for (const { name, ratio, low, high } of await suite({ rounds, entries }))
      console.log(`${name.padEnd(32)} ${ratio.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`);
  }
} finally {
  older.remove();
}
