import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Builds an older commit with today's dependencies, in a folder of its own. The caller removes the folder. */
export function buildAt(commit) {
  const folder = mkdtempSync(join(tmpdir(), 'hydrant-at-'));
  const archive = execFileSync('git', ['archive', commit], { cwd: ROOT, maxBuffer: 2 ** 28 });
  execFileSync('tar', ['-x', '-C', folder], { input: archive });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  if (!existsSync(join(folder, 'dist')))
    execFileSync(process.execPath, [join(ROOT, 'node_modules/tsup/dist/cli-default.js'), '--no-dts'], {
      cwd: folder,
      stdio: 'ignore',
    });
  return { folder, entry: join(folder, 'dist/index.js'), remove: () => rmSync(folder, { recursive: true, force: true }) };
}
