import { spawn } from 'node:child_process';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Whether everything `package.json` exports has been built since the source was last changed. */
export function isBuilt() {
  const { exports } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'));
  const built = JSON.stringify(exports).match(/dist\/[^"]+/g) ?? [];
  const sources = readdirSync(`${ROOT}src`, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile()).map((entry) => `${entry.parentPath}/${entry.name}`);
  const times = built.map((path) => statSync(`${ROOT}${path}`, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  return Math.min(...times) >= Math.max(...sources.map((path) => statSync(path).mtimeMs));
}

/**
 * Builds the package, for the demo imports it by its name as an application does.
 *
 * @param {AbortSignal} signal ends the build
 * @returns {Promise<void>}
 */
export function build(signal) {
  return new Promise((resolve, reject) => {
    const tsup = fileURLToPath(new URL('dist/cli-default.js', import.meta.resolve('tsup/package.json')));
    const child = spawn(process.execPath, [tsup], { cwd: ROOT, signal, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { output += chunk; });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`tsup ended with ${code}\n${output}`));
    });
  });
}
