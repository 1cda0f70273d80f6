import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Returns whether every entry of the package has been built since the source was last changed. */
export function isBuilt() {
  /** @type {{ exports: Record<string, { import?: { default: string } }> }} */
  const { exports } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8'));
  const built = Object.values(exports).flatMap((entry) => entry.import?.default ?? []);
  const sources = existsSync(`${ROOT}src`) ? readdirSync(`${ROOT}src`, { recursive: true, withFileTypes: true }) : [];
  const changed = sources.filter((entry) => entry.isFile()).map((entry) => statSync(`${entry.parentPath}/${entry.name}`).mtimeMs);
  return (
    Math.min(...built.map((path) => statSync(`${ROOT}${path}`, { throwIfNoEntry: false })?.mtimeMs ?? 0)) >= Math.max(...changed)
  );
}

/**
 * Builds what examples import by the package's name: the JavaScript. The declarations take ten times as long and are
 * left to `npm run build`.
 *
 * @param {AbortSignal} signal ends the build
 * @returns {Promise<void>}
 */
export function build(signal) {
  return new Promise((resolve, reject) => {
    const tsup = fileURLToPath(new URL('dist/cli-default.js', import.meta.resolve('tsup/package.json')));
    const child = spawn(process.execPath, [tsup, '--no-dts'], { cwd: ROOT, signal, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { output += chunk; });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`tsup ended with ${code}\n${output}`));
    });
  });
}
